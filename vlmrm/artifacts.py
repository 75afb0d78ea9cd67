"""The artefacts of the pipeline as files: states, frames, embeddings and rewards.

States, frames and embeddings are HDF5 files, rewards are Parquet tables. Every file appears
whole or not at all (it is written beside its place and renamed), and carries its provenance.

Rows correspond across the four kinds: row ``i`` of the frames shows row ``i`` of the states.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vlmrm.errors import UserError
from vlmrm.provenance import provenance

FRAMES_PER_CHUNK = 16
"""Frames compressed together: small enough for random access, large enough to stream."""

COMPRESSION = dict(hdf5plugin.Zstd(clevel=3))
"""Of pictures. Those of one scene share most of their content: the files are a seventh as large as
with HDF5's own LZF, and written and read several times as fast (``benchmarks/frames.py``). Other
programs read them after ``import hdf5plugin``."""


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path beside ``path``, renamed to ``path`` only on success.

    Works for files and for folders (create the folder at the yielded path). The temporary
    path keeps the suffix, since some writers choose their format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        temporary = Path(folder) / path.name
        yield temporary
        if temporary.is_dir() and path.is_dir():
            # rename() replaces a file but not a folder that has content.
            path.rename(Path(folder) / "replaced")
        temporary.replace(path)


@dataclass
class States:
    """Simulator states, and what is known of each.

    Attributes:
        environment: Name of the environment that the states belong to.
        values: Float64 ``[N, D]``, one state vector per row (see the environment for its columns).
        columns: ``N`` rows of whatever else is known, for example ``origin`` (where the state came
            from) or ``trajectory`` (rows of one trajectory are dependent).
        labels: Oracle's name to bool ``[N]``: does the state fulfil its task?
    """

    environment: str
    values: NDArray[np.float64]
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    labels: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def write(self, path: str | os.PathLike[str], **context: Any) -> None:
        """Writes the set to ``path``; ``context`` (settings, seed) joins the provenance."""
        with create_hdf5(path, "states", context) as file:
            file.attrs["environment"] = self.environment
            file["values"] = self.values
            for name, column in self.columns.items():
                # HDF5 knows no fixed-width unicode.
                is_text = column.dtype.kind in "UO"
                file[f"columns/{name}"] = column.astype(object) if is_text else column
            for oracle, labels in self.labels.items():
                file[f"labels/{oracle}"] = labels.astype(bool)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> States:
        with open_hdf5(path, "states") as file:
            columns = {
                name: data.asstr()[:] if data.dtype.kind == "O" else data[:]
                for name, data in file.get("columns", {}).items()
            }
            labels = file.get("labels", {})
            return cls(
                environment=str(file.attrs["environment"]),
                values=file["values"][:],
                columns=columns,
                labels={oracle: data[:] for oracle, data in labels.items()},
            )


class FrameWriter:
    """Writes frames as they are rendered; use as a context manager.

    The file appears at ``path`` only when the block ends without an error and every
    frame was written.
    """

    def __init__(
        self, path: str | os.PathLike[str], shape: tuple[int, int, int, int], **context: Any
    ):
        self._file = create_hdf5(path, "frames", context)
        self._shape = shape
        self._written = 0

    def __enter__(self) -> FrameWriter:
        n, height, width, channels = self._shape
        self._frames = self._file.__enter__().create_dataset(
            "frames",
            shape=self._shape,
            dtype=np.uint8,
            chunks=(min(FRAMES_PER_CHUNK, max(n, 1)), height, width, channels),
            **COMPRESSION,
        )
        return self

    def append(self, frames: NDArray[np.uint8]) -> None:
        """Adds uint8 frames ``[n, H, W, 3]`` behind those already written."""
        self._frames[self._written : self._written + len(frames)] = frames
        self._written += len(frames)

    def __exit__(self, *exception: Any) -> None:
        if exception[0] is None and self._written != self._shape[0]:
            error = RuntimeError(f"{self._written} of {self._shape[0]} frames were written")
            self._file.__exit__(type(error), error, None)
            raise error
        self._file.__exit__(*exception)


class FrameReader:
    """Frames of a file, read on demand: ``reader[start:stop]`` is uint8 ``[n, H, W, 3]``."""

    def __init__(self, path: str | os.PathLike[str]):
        self._file = open_hdf5(path, "frames")
        self._frames = self._file["frames"]
        self.shape: tuple[int, int, int, int] = self._frames.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[np.uint8]:
        frames: NDArray[np.uint8] = self._frames[index]
        return frames

    def batches(self, size: int) -> Iterator[NDArray[np.uint8]]:
        """Successive runs of at most ``size`` frames."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._file.close()


def write_embeddings(
    path: str | os.PathLike[str], embeddings: NDArray[np.float32], **context: Any
) -> None:
    """Writes unit embeddings float32 ``[N, E]``."""
    with create_hdf5(path, "embeddings", context) as file:
        file["embeddings"] = embeddings.astype(np.float32)


def read_embeddings(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """Unit embeddings float32 ``[N, E]``."""
    with open_hdf5(path, "embeddings") as file:
        embeddings: NDArray[np.float32] = file["embeddings"][:]
        return embeddings


def write_prompt_embeddings(
    path: str | os.PathLike[str], embeddings: dict[str, NDArray[np.float32]], **context: Any
) -> None:
    """Writes the unit embedding, float32 ``[E]``, of each prompt."""
    prompts = list(embeddings)
    with create_hdf5(path, "prompt embeddings", context) as file:
        file["prompts"] = np.array(prompts, dtype=object)
        file["embeddings"] = np.stack([embeddings[p] for p in prompts]).astype(np.float32)


def read_prompt_embeddings(path: str | os.PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """Prompt to its unit embedding, float32 ``[E]``."""
    with open_hdf5(path, "prompt embeddings") as file:
        return dict(zip(file["prompts"].asstr()[:], file["embeddings"][:], strict=True))


def write_table(path: str | os.PathLike[str], table: pd.DataFrame, **context: Any) -> None:
    """Writes a table as Parquet (provenance inside) or as CSV, by the suffix of ``path``."""
    with atomic_path(path) as temporary:
        if temporary.suffix == ".parquet":
            arrow = pa.Table.from_pandas(table, preserve_index=False)
            metadata = {**(arrow.schema.metadata or {}), b"provenance": _dumps(context).encode()}
            pq.write_table(arrow.replace_schema_metadata(metadata), temporary)
        else:
            table.to_csv(temporary, index=False)


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Reads a Parquet or CSV table."""
    path = Path(path)
    _require(path)
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


def read_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Where an artefact came from: versions, commit, settings."""
    path = Path(path)
    _require(path)
    if path.suffix == ".parquet":
        return dict(json.loads(pq.read_schema(path).metadata[b"provenance"]))
    with h5py.File(path) as file:
        return dict(json.loads(file.attrs["provenance"]))


@contextmanager
def create_hdf5(
    path: str | os.PathLike[str], kind: str, context: dict[str, Any]
) -> Iterator[h5py.File]:
    """Opens a new file of some kind, which appears when the block ends without an error."""
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["kind"] = kind
        file.attrs["provenance"] = _dumps(context)
        yield file


def open_hdf5(path: str | os.PathLike[str], kind: str) -> h5py.File:
    """Opens a file for reading.

    Raises:
        UserError: It is missing, unreadable or of another kind.
    """
    _require(Path(path))
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise UserError(f"{path}: not a readable HDF5 file; delete it and run again") from error
    found = file.attrs.get("kind", "something else")
    if found != kind:
        file.close()
        raise UserError(f"{path}: holds {found}, but {kind} are needed here")
    return file


def _require(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"{path}: no such file")


def _dumps(context: dict[str, Any]) -> str:
    return json.dumps(provenance(**context), default=str, sort_keys=True)
