"""Batches of image-text pairs, with what the captions state."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vlmrm.models.libraries import open_clip
from vlmrm.pretraining.distances import FAR
from vlmrm.pretraining.part import Part

Column = tuple[str, str, str]
"""What a caption can state: environment, fact, and value; without the latter two, that the image
shows the environment."""


class Batch(NamedTuple):
    """Image-text pairs.

    Attributes:
        rows: Rows of the images ``[B]``.
        tokens: Tokens of the captions ``[B, L]``.
        stated: What the captions state, bool ``[B, C]``, of the `columns`.
    """

    rows: Tensor
    tokens: Tensor
    stated: Tensor


@dataclass
class Batches(Dataset[Batch]):
    """Random batches that mix the environments; each depends on the seed and its number alone.

    Attributes:
        parts: Training frames of each environment; rows count through all of them.
        tokenizer: Tokenizer of the model.
        size: Pairs per batch.
        count: Number of batches.
        seed: Random seed.
    """

    parts: Sequence[Part]
    tokenizer: open_clip.SimpleTokenizer
    size: int
    count: int
    seed: int

    def __post_init__(self) -> None:
        sizes = [len(part.images) for part in self.parts]
        self._owner = np.arange(len(sizes)).repeat(sizes)
        self._row = np.concatenate([np.arange(size) for size in sizes])
        self._encoded: dict[str, list[int]] = {}
        self._number = {column: i for i, column in enumerate(columns(self.parts))}
        balanced = [part.weights() for part in self.parts]
        weights = np.concatenate([weight / weight.mean() for weight in balanced])
        self._cumulative = np.cumsum(weights) / weights.sum()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Batch:
        if number >= self.count:
            raise IndexError(number)
        rng = np.random.default_rng([self.seed, number])
        rows = np.searchsorted(self._cumulative, rng.random(self.size), side="right")
        texts, stated = zip(*(self._caption(row, rng) for row in rows), strict=True)
        return Batch(
            torch.from_numpy(rows),
            torch.from_numpy(np.stack([self._tokens(text) for text in texts])),
            torch.from_numpy(np.stack(stated)),
        )

    def _tokens(self, text: str) -> NDArray[np.int64]:
        """Tokens of a caption ``[L]``, as of the tokenizer.

        Most of its time would go into cleaning texts. Captions are made of few phrases, each of
        which is cleaned once. Only after a letter or a digit is a comma a token of its own.
        """
        ids = [self.tokenizer.sot_token_id]
        for number, phrase in enumerate(re.split(r"(?<=[^\W_]), ", text)):
            ids += [*(self._encode(",") if number else ()), *self._encode(phrase)]
        length = self.tokenizer.context_length
        ids = [*ids[: length - 1], self.tokenizer.eot_token_id]
        return np.array(ids + [0] * (length - len(ids)))

    def _encode(self, phrase: str) -> list[int]:
        if phrase not in self._encoded:
            self._encoded[phrase] = self.tokenizer.encode(phrase)
        return self._encoded[phrase]

    def _caption(self, row: int, rng: np.random.Generator) -> tuple[str, NDArray[np.bool_]]:
        """A caption of an image, and which of the `columns` it states."""
        part = self.parts[self._owner[row]]
        caption = part.caption(self._row[row], rng)
        stated = np.zeros(len(self._number), dtype=bool)
        for fact in [("", ""), *caption.facts.items()]:
            stated[self._number[part.environment, *fact]] = True
        return caption.text, stated


def columns(parts: Sequence[Part]) -> list[Column]:
    """What captions of the parts can state: their environments, then each value of each fact."""
    shown = [(part.environment, "", "") for part in parts]
    return [*shown, *((part.environment, *value) for part in parts for value in part.values)]


def distances_by_column(parts: Sequence[Part]) -> NDArray[np.float32]:
    """Distances of the images of all parts from all `columns`: ``[N, C]``."""
    stated = columns(parts)
    tables = []
    for part in parts:
        table = np.full((len(part.images), len(stated)), FAR, np.float32)
        own = np.array([environment == part.environment for environment, _, _ in stated])
        table[:, own] = np.hstack([np.zeros((len(part.images), 1)), part.distances_from_values()])
        tables.append(table)
    return np.concatenate(tables)
