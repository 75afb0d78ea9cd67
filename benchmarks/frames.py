"""Compares ways to store frames: bytes per frame, and the speed of writing and reading.

    python benchmarks/frames.py FRAMES.h5 [FRAMES.h5 ...]

The frames of each file (at most 1,000) are written to one HDF5 dataset, either as uint8 in the
pipeline's chunks or as one encoded image each. They are read back in order, and one by one in
random order. All ways are lossless.
"""

from __future__ import annotations

import argparse
import functools
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from vlmrm.data.frames import FRAMES_PER_CHUNK, FrameReader
from vlmrm.data.tables import write_table

Frames = NDArray[np.uint8]
MOST = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--output", type=Path, help="Write the table there (CSV).")
    options = parser.parse_args()
    rows = []
    for file in options.files:
        with FrameReader(file) as reader:
            frames = reader[:MOST]
        for name, write, read in ways():
            row = measure(frames, write, read, options.repeat)
            rows.append({"frames": f"{frames.shape[1]}x{frames.shape[2]}", "way": name, **row})
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
    if options.output:
        write_table(options.output, pd.DataFrame(rows))


Write = Callable[[Path, Frames], None]
Read = Callable[[Path, list[int] | None], Frames]


def ways() -> Iterator[tuple[str, Write, Read]]:
    filters: dict[str, dict[str, Any]] = {
        "hdf5, plain": {},
        "hdf5, lzf": {"compression": "lzf"},
        "hdf5, gzip 1": {"compression": "gzip", "compression_opts": 1},
        "hdf5, gzip 4": {"compression": "gzip", "compression_opts": 4},
        "hdf5, lz4": dict(hdf5plugin.LZ4()),
        "hdf5, zstd 1": dict(hdf5plugin.Zstd(clevel=1)),
        "hdf5, zstd 3": dict(hdf5plugin.Zstd(clevel=3)),
        "hdf5, zstd 9": dict(hdf5plugin.Zstd(clevel=9)),
        "hdf5, blosc2 zstd 1": dict(hdf5plugin.Blosc2(cname="zstd", clevel=1, filters=0)),
    }
    for name, settings in filters.items():
        yield name, functools.partial(write_dataset, settings), read_dataset
    for name, settings in {
        "PNG 1": {"format": "png", "compress_level": 1},
        "PNG 6": {"format": "png", "compress_level": 6},
        "WebP, lossless": {"format": "webp", "lossless": True, "quality": 0, "method": 0},
    }.items():
        yield name, functools.partial(write_pictures, settings), read_pictures


def measure(frames: Frames, write: Write, read: Read, repeat: int) -> dict[str, float]:
    """Medians: MB per second of uncompressed frames, and frames per second in random order."""
    order = np.random.default_rng(0).permutation(len(frames))[:100].tolist()
    seconds: dict[str, list[float]] = {"write": [], "read": [], "one": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.h5"
        for _ in range(repeat):
            seconds["write"].append(clock(lambda: write(path, frames)))
            seconds["read"].append(clock(lambda: read(path, None)))
            seconds["one"].append(clock(lambda: read(path, order)))
        assert np.array_equal(read(path, None), frames), "not exact"
        size = path.stat().st_size
    megabytes = frames.nbytes / 1e6
    return {
        "bytes/frame": round(size / len(frames)),
        "share": round(size / frames.nbytes, 4),
        "write MB/s": round(megabytes / statistics.median(seconds["write"])),
        "read MB/s": round(megabytes / statistics.median(seconds["read"])),
        "random frames/s": round(len(order) / statistics.median(seconds["one"])),
    }


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def write_dataset(settings: dict[str, Any], path: Path, frames: Frames) -> None:
    with h5py.File(path, "w") as file:
        chunks = (min(FRAMES_PER_CHUNK, len(frames)), *frames.shape[1:])
        file.create_dataset("frames", data=frames, chunks=chunks, **settings)


def read_dataset(path: Path, order: list[int] | None) -> Frames:
    with h5py.File(path) as file:
        data = file["frames"]
        return np.stack([data[i] for i in order]) if order else data[:]


def write_pictures(settings: dict[str, Any], path: Path, frames: Frames) -> None:
    with h5py.File(path, "w") as file:
        kind = h5py.vlen_dtype(np.uint8)
        data = file.create_dataset("frames", shape=len(frames), dtype=kind)
        for i, frame in enumerate(frames):
            encoded = io.BytesIO()
            Image.fromarray(frame).save(encoded, **settings)
            data[i] = np.frombuffer(encoded.getbuffer(), np.uint8)


def read_pictures(path: Path, order: list[int] | None) -> Frames:
    with h5py.File(path) as file:
        data = file["frames"]
        return np.stack(
            [np.asarray(Image.open(io.BytesIO(data[i]))) for i in order or range(len(data))]
        )


if __name__ == "__main__":
    main()
