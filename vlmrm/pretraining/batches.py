"""Batches of image-text pairs, with the facts by which images and captions match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vlmrm.models.libraries import open_clip
from vlmrm.pretraining.captions import (
    LEADING,
    PHRASES,
    UNCLEAR,
    generic_caption,
    write_caption,
)
from vlmrm.pretraining.corpus import CorpusPart

GENERIC_SHARE = 0.05
"""Share of captions that fit every frame, so that baseline prompts get a meaning too."""

BALANCE = 0.5
"""Images are sampled in proportion to n ** -BALANCE, where n images share their leading fact. Rare
postures are seen more often."""

NOT_STATED = -1
"""Stands for a fact that an image does not show clearly, or that a caption does not state."""

COLUMNS = [(environment, fact) for environment, facts in PHRASES.items() for fact in facts]
"""The facts of all environments, in the order of their columns."""


class Batch(NamedTuple):
    """Image-text pairs.

    Attributes:
        rows: Rows of the images ``[B]``.
        tokens: Tokens of the captions ``[B, L]``.
        shown: Facts of the images int8 ``[B, F]``; see `encode`.
        stated: Facts of the captions int8 ``[B, F]``.
    """

    rows: Tensor
    tokens: Tensor
    shown: Tensor
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

    parts: list[CorpusPart]
    tokenizer: open_clip.SimpleTokenizer
    size: int
    count: int
    seed: int

    def __post_init__(self) -> None:
        sizes = [len(part.images) for part in self.parts]
        self._owner = np.arange(len(sizes)).repeat(sizes)
        self._row = np.concatenate([np.arange(size) for size in sizes])
        weights = np.concatenate([_balanced(part) for part in self.parts])
        self._cumulative = np.cumsum(weights) / weights.sum()
        self._shown = np.stack(
            [encode(part.environment, facts) for part in self.parts for facts in part.facts]
        )

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
            self.tokenizer(texts),
            torch.from_numpy(self._shown[rows]),
            torch.from_numpy(np.stack(stated)),
        )

    def _caption(self, row: int, rng: np.random.Generator) -> tuple[str, NDArray[np.int8]]:
        """A caption of an image, and the facts that it states."""
        part = self.parts[self._owner[row]]
        if rng.random() < GENERIC_SHARE:
            caption = generic_caption(part.environment, rng)
        else:
            caption = write_caption(part.environment, part.facts[self._row[row]], rng)
        return caption.text, encode(part.environment, caption.facts)


def encode(environment: str, facts: Mapping[str, str]) -> NDArray[np.int8]:
    """Numbers ``[F]`` of the environment and of the values of all `COLUMNS`."""
    code = np.full(1 + len(COLUMNS), NOT_STATED, np.int8)
    code[0] = list(PHRASES).index(environment)
    for fact, value in facts.items():
        values = list(PHRASES[environment][fact])
        code[1 + COLUMNS.index((environment, fact))] = values.index(value)
    return code


def _balanced(part: CorpusPart) -> NDArray[np.float64]:
    """Sampling weights ``[N]`` of the images, 1 on average."""
    facts = [facts.get(LEADING[part.environment], UNCLEAR) for facts in part.facts]
    _, kind, count = np.unique(facts, return_inverse=True, return_counts=True)
    weight = count[kind] ** -BALANCE
    normalized: NDArray[np.float64] = weight / weight.mean()
    return normalized
