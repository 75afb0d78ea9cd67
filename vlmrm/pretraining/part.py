"""What the trainer needs of the frames of one environment, wherever their captions come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vlmrm.pretraining.captions import Caption

HELD_OUT = 0.1
"""Share of the corpus that is held out from training."""

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
        """Splits into training and held-out frames, at random but the same for every model."""
        order = np.random.default_rng(0).permutation(len(self.images))
        held_out = max(1, round(HELD_OUT * len(order)))
        return self.rows(order[held_out:]), self.rows(order[:held_out])
