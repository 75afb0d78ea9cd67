"""Batches of image-text pairs, with what the captions state."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vlmrm.models.libraries import open_clip
from vlmrm.pretraining.captions import PHRASES, UNCLEAR, generic_caption, write_caption
from vlmrm.pretraining.corpus import CorpusPart
from vlmrm.pretraining.distances import FAR

GENERIC_SHARE = 0.05
"""Share of captions that fit every frame, so that baseline prompts get a meaning too."""

BALANCE = 0.5
"""Images are sampled in proportion to the sum of n ** -BALANCE over their facts, where n images
share the fact. Rare postures and rare positions of the arms are seen more often."""

COLUMNS: list[tuple[str, str, str]] = [
    *((environment, "", "") for environment in PHRASES),
    *(
        (environment, fact, value)
        for environment, facts in PHRASES.items()
        for fact, values in facts.items()
        for value in values
    ),
]
"""What a caption can state: that the image shows an environment, then each value of each fact."""


class Batch(NamedTuple):
    """Image-text pairs.

    Attributes:
        rows: Rows of the images ``[B]``.
        tokens: Tokens of the captions ``[B, L]``.
        stated: What the captions state, bool ``[B, len(COLUMNS)]``.
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

    parts: list[CorpusPart]
    tokenizer: open_clip.SimpleTokenizer
    size: int
    count: int
    seed: int

    def __post_init__(self) -> None:
        sizes = [len(part.images) for part in self.parts]
        self._owner = np.arange(len(sizes)).repeat(sizes)
        self._row = np.concatenate([np.arange(size) for size in sizes])
        self._encode = functools.cache(self.tokenizer.encode)
        weights = np.concatenate([_balanced(part) for part in self.parts])
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
        which is cleaned once.
        """
        ids = [self.tokenizer.sot_token_id]
        for number, phrase in enumerate(text.split(", ")):
            ids += [*(self._encode(",") if number else ()), *self._encode(phrase)]
        length = self.tokenizer.context_length
        ids = [*ids[: length - 1], self.tokenizer.eot_token_id]
        return np.array(ids + [0] * (length - len(ids)))

    def _caption(self, row: int, rng: np.random.Generator) -> tuple[str, NDArray[np.bool_]]:
        """A caption of an image, and the facts that it states."""
        part = self.parts[self._owner[row]]
        if rng.random() < GENERIC_SHARE:
            caption = generic_caption(part.environment, rng)
        else:
            caption = write_caption(part.environment, part.facts[self._row[row]], rng)
        return caption.text, encode(part.environment, caption.facts)


def encode(environment: str, facts: Mapping[str, str]) -> NDArray[np.bool_]:
    """Which of the `COLUMNS` a caption with these facts states: bool ``[len(COLUMNS)]``."""
    stated = {(environment, "", ""), *((environment, *fact) for fact in facts.items())}
    return np.array([column in stated for column in COLUMNS])


def distances_by_column(part: CorpusPart) -> NDArray[np.float32]:
    """Distances of the images of a part from all `COLUMNS`: ``[N, len(COLUMNS)]``."""
    result = np.full((len(part.images), len(COLUMNS)), FAR, np.float32)
    own = np.array([environment == part.environment for environment, _, _ in COLUMNS])
    result[:, own] = np.hstack([np.zeros((len(part.images), 1)), part.distances])
    return result


def _balanced(part: CorpusPart) -> NDArray[np.float64]:
    """Sampling weights ``[N]`` of the images, 1 on average."""
    weight = np.zeros(len(part.facts))
    for fact in PHRASES[part.environment]:
        values = [facts.get(fact, UNCLEAR) for facts in part.facts]
        _, kind, count = np.unique(values, return_inverse=True, return_counts=True)
        weight += count[kind] ** -BALANCE
    normalized: NDArray[np.float64] = weight / weight.mean()
    return normalized
