"""What one environment did lately, to be filmed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class LatestEpisode:
    """Keeps the states of the latest episode that one environment has finished."""

    def __init__(self) -> None:
        self._current: list[NDArray[np.float64]] = []
        self._latest: NDArray[np.float64] | None = None

    def add(self, states: NDArray[np.float64], dones: NDArray[np.bool_]) -> None:
        """Adds successive states ``[K, D]`` and whether the episode ended with each, ``[K]``."""
        for state, done in zip(states, dones, strict=True):
            self._current.append(state)
            if done:
                self._latest = np.stack(self._current)
                self._current = []

    def take(self) -> NDArray[np.float64] | None:
        """The states ``[T, D]`` of an episode not taken before; None if none was finished since."""
        latest, self._latest = self._latest, None
        return latest
