"""What the trainer needs of the frames of one environment, wherever their captions come from."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vlmrm.config.models import HELD_OUT
from vlmrm.pretraining.captions import Caption

BALANCE = 0.5
"""Images are sampled in proportion to n ** -BALANCE, where n images share a fact or a sentence.
Rare postures and rare positions of the arms are seen more often."""

P = TypeVar("P", bound="Part")


@dataclass
class Part(ABC):
    """The frames of one environment.

    Attributes:
        environment: Its name.
        images: Uint8 ``[N, 3, S, S]``.
    """

    environment: str
    images: NDArray[np.uint8]

    @property
    @abstractmethod
    def values(self) -> list[tuple[str, str]]:
        """What captions can state, V facts with their values."""

    @abstractmethod
    def distances_from_values(self) -> NDArray[np.float32]:
        """How far images are from showing these, ``[N, V]``, 0 where a caption is true."""

    @abstractmethod
    def caption(self, row: int, rng: np.random.Generator) -> Caption:
        """A random caption of an image."""

    @abstractmethod
    def weights(self) -> NDArray[np.float64]:
        """How often images are sampled ``[N]``, relative to each other."""

    @abstractmethod
    def rows(self: P, rows: NDArray[np.intp]) -> P:
        """Some of the frames."""

    def split(self: P) -> tuple[P, P]:
        """Splits into training and held-out frames, at random but by the frames themselves.

        So it is the same for every model, and a frame of several corpora is held out from all of
        them: a model that is trained further is not evaluated on what it learned from before.
        """
        digests = _digests(self.images)
        held_out = digests <= max(int(HELD_OUT * 2**32), digests.min())
        return self.rows(np.flatnonzero(~held_out)), self.rows(np.flatnonzero(held_out))


def _digests(images: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """32 bits of each image ``[N]``; those of equal images differ."""
    copies: Counter[int] = Counter()
    digests = np.empty(len(images), np.uint32)
    for row, image in enumerate(images):
        content = zlib.crc32(image)
        digests[row] = zlib.crc32(copies[content].to_bytes(4), content)
        copies[content] += 1
    return digests
