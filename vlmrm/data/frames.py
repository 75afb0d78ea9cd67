"""Rendered frames, written and read in batches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from vlmrm.data.files import create_hdf5, open_hdf5, reading, require

FRAMES_PER_CHUNK = 16
"""Frames compressed together: small enough for random access, large enough to stream."""

COMPRESSION = {**hdf5plugin.Zstd(clevel=3), "fletcher32": True}
"""Compression of frames, and checksums. The frames of one scene share most of their content: files
are a seventh as large as with HDF5's own LZF, and several times as fast to write and read
(``benchmarks/frames.py``). Other programs need ``import hdf5plugin`` to read them."""


class FrameWriter:
    """Writes frames as they are rendered; use as a context manager.

    The file appears at ``path`` only if the block ends without an error and every frame was
    written.

    Args:
        path: Output file (HDF5).
        count: Number of frames; None if it is known only at the end.
        **context: Added to the provenance.
    """

    def __init__(self, path: str | os.PathLike[str], count: int | None, **context: Any):
        self._file = create_hdf5(path, "frames", context)
        self._count = count
        self._frames: h5py.Dataset | None = None
        self._written = 0

    def __enter__(self) -> FrameWriter:
        self._new = self._file.__enter__()
        return self

    def append(self, frames: NDArray[np.uint8]) -> None:
        """Appends uint8 frames ``[n, H, W, 3]``."""
        if self._frames is None:
            self._frames = self._new.create_dataset(
                "frames",
                shape=(self._count or 0, *frames.shape[1:]),
                maxshape=(self._count, *frames.shape[1:]),
                dtype=np.uint8,
                chunks=(min(FRAMES_PER_CHUNK, self._count or FRAMES_PER_CHUNK), *frames.shape[1:]),
                **COMPRESSION,
            )
        if self._count is None:
            self._frames.resize(self._written + len(frames), axis=0)
        self._frames[self._written : self._written + len(frames)] = frames
        self._new.check()
        self._written += len(frames)

    def __exit__(self, *exception: Any) -> None:
        complete = self._frames is not None and self._count in (None, self._written)
        if exception[0] is None and not complete:
            error = RuntimeError(f"{self._written} of {self._count or 'some'} frames were written")
            self._file.__exit__(type(error), error, None)
            raise error
        self._file.__exit__(*exception)


class FrameReader:
    """Frames of a file, read on demand: ``reader[start:stop]`` is uint8 ``[n, H, W, 3]``."""

    def __init__(self, path: str | os.PathLike[str]):
        self._path = path
        self._file = open_hdf5(path, "frames")
        with reading(path):
            self._frames = self._file["frames"]
            self.shape: tuple[int, int, int, int] = self._frames.shape
            sound = len(self.shape) == 4 and self.shape[3] == 3 and self._frames.dtype == np.uint8
            require(path, sound, "its frames are not uint8 [N, H, W, 3]")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[np.uint8]:
        with reading(self._path):
            frames: NDArray[np.uint8] = self._frames[index]
            return frames

    def batches(self, size: int) -> Iterator[NDArray[np.uint8]]:
        """Yields successive batches of at most ``size`` frames; a thread reads the next one."""

        def read(start: int) -> NDArray[np.uint8]:
            return self[start : start + size]

        with ThreadPoolExecutor(1) as reader:
            following = reader.submit(read, 0)
            for start in range(size, len(self) + size, size):
                batch = following.result()
                following = reader.submit(read, start)
                yield batch

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._file.close()
