"""What the pipeline asks of an environment: state vectors, and pictures of them."""

from __future__ import annotations

from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray


class StateEnv(gym.Env[Any, Any]):
    """A Gymnasium environment whose simulator state is a plain vector."""

    state_names: tuple[str, ...]
    """What the entries of a state vector are."""

    def state_vector(self) -> NDArray[np.float64]:
        """The current state, float64 ``[D]``: all that a picture or an oracle depends on."""
        raise NotImplementedError


class Renderer(Protocol):
    """Draws the states of one environment in one scene."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels (3) of a frame."""

    def render(self, state: NDArray[np.float64], out: NDArray[np.uint8]) -> None:
        """Draws a state vector ``[D]`` into ``out``, uint8 RGB ``[H, W, 3]``, top row first."""

    def close(self) -> None:
        """Frees what drawing needed."""
