"""Embeddings of frames and of prompts."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.data.files import create_hdf5, open_hdf5

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
        file["embeddings"] = embeddings.astype(np.float32)
        if full_precision is not None:
            file["full_precision/rows"], file["full_precision/embeddings"] = full_precision


def read_embeddings(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """Reads unit embeddings, float32 ``[N, E]``."""
    with open_hdf5(path, "embeddings") as file:
        embeddings: NDArray[np.float32] = file["embeddings"][:]
        return embeddings


def read_full_precision(path: str | os.PathLike[str]) -> Sample | None:
    """Reads the sample in full precision, if there is one."""
    with open_hdf5(path, "embeddings") as file:
        if "full_precision" not in file:
            return None
        return file["full_precision/rows"][:], file["full_precision/embeddings"][:]


def write_prompt_embeddings(
    path: str | os.PathLike[str], embeddings: dict[str, NDArray[np.float32]], **context: Any
) -> None:
    """Writes the unit embedding, float32 ``[E]``, of each prompt."""
    prompts = list(embeddings)
    with create_hdf5(path, "prompt embeddings", context) as file:
        file["prompts"] = np.array(prompts, dtype=object)
        file["embeddings"] = np.stack([embeddings[p] for p in prompts]).astype(np.float32)


def read_prompt_embeddings(path: str | os.PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """Reads the unit embedding, float32 ``[E]``, of each prompt."""
    with open_hdf5(path, "prompt embeddings") as file:
        return dict(zip(file["prompts"].asstr()[:], file["embeddings"][:], strict=True))
