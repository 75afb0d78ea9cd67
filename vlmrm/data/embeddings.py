"""Embeddings of frames and of prompts."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.data.files import create_hdf5, open_hdf5, put, reading, require, texts

ROUNDING = 1e-3
"""Largest error of a unit vector's length."""

Sample = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Some rows of a set ``[M]``, and their embeddings ``[M, E]`` by a model in full precision."""


def write_embeddings(
    path: str | os.PathLike[str],
    embeddings: NDArray[np.float32],
    full_precision: Sample | None = None,
    **context: Any,
) -> None:
    """Writes unit embeddings, float32 ``[N, E]``, and those of a sample in full precision."""
    with create_hdf5(path, "embeddings", context) as file:
        put(file, "embeddings", embeddings.astype(np.float32))
        if full_precision is not None:
            rows, sample = full_precision
            put(file, "full_precision/rows", rows)
            put(file, "full_precision/embeddings", sample)


def read_embeddings(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """Reads unit embeddings, float32 ``[N, E]``.

    Raises:
        UserError: The file is missing, damaged, or of another kind, or a row is no unit vector.
    """
    with open_hdf5(path, "embeddings") as file, reading(path):
        embeddings: NDArray[np.float32] = file["embeddings"][:]
        _check_units(path, embeddings)
        return embeddings


def read_full_precision(path: str | os.PathLike[str]) -> Sample | None:
    """Reads the sample in full precision, if there is one."""
    with open_hdf5(path, "embeddings") as file, reading(path):
        if "full_precision" not in list(file):
            return None
        rows, embeddings = file["full_precision/rows"][:], file["full_precision/embeddings"][:]
        _check_units(path, embeddings)
        return rows, embeddings


def write_prompt_embeddings(
    path: str | os.PathLike[str], embeddings: dict[str, NDArray[np.float32]], **context: Any
) -> None:
    """Writes the unit embedding, float32 ``[E]``, of each prompt."""
    prompts = list(embeddings)
    with create_hdf5(path, "prompt embeddings", context) as file:
        put(file, "prompts", prompts)
        put(file, "embeddings", np.stack([embeddings[p] for p in prompts]).astype(np.float32))


def read_prompt_embeddings(path: str | os.PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """Reads the unit embedding, float32 ``[E]``, of each prompt; raises as `read_embeddings`."""
    with open_hdf5(path, "prompt embeddings") as file, reading(path):
        embeddings = file["embeddings"][:]
        _check_units(path, embeddings)
        return dict(zip(texts(file["prompts"]).tolist(), embeddings, strict=True))


def _check_units(path: str | os.PathLike[str], embeddings: NDArray[np.float32]) -> None:
    lengths = np.linalg.norm(embeddings.astype(np.float64), axis=-1)
    sound = embeddings.ndim == 2 and bool((np.abs(lengths - 1) < ROUNDING).all())  # NaN is not
    require(path, sound, "contains embeddings that are no unit vectors")
