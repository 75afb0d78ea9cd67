"""The renderers' interface."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Renderer(Protocol):
    """Renders the states of one environment in one scene."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, and channels (3) of a frame."""

    def render(self, state: NDArray[np.float64], out: NDArray[np.uint8]) -> None:
        """Renders a state vector ``[D]`` into ``out``, uint8 RGB ``[H, W, 3]``, top row first."""

    def close(self) -> None:
        """Frees the resources of the renderer."""
