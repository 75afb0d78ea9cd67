"""Gymnasium's own rendering of the classic-control environments, as a `Renderer`."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv, Continuous_MountainCarEnv
from numpy.typing import NDArray

from vlmrm.envs.cartpole import OUT_OF_SIGHT

FRAME_SHAPE = (400, 600, 3)
"""Height, width, and channels of Gymnasium's classic-control frames."""


class RenderableEnv(Protocol):
    """An environment whose `render` depends only on ``state``."""

    state: Any

    def render(self) -> NDArray[np.uint8]: ...

    def close(self) -> None: ...


class GymnasiumRenderer:
    """Renders by setting the state of an environment that is never stepped.

    Args:
        env: The environment, made with ``render_mode="rgb_array"``.
        lowest: State ``[D]`` below which the frame does not change; entries may be -inf.
        highest: State ``[D]`` above which the frame does not change; entries may be inf.
    """

    shape = FRAME_SHAPE

    def __init__(
        self,
        env: RenderableEnv,
        lowest: NDArray[np.float64] | float = -np.inf,
        highest: NDArray[np.float64] | float = np.inf,
    ):
        self._env = env
        self._lowest = lowest
        self._highest = highest

    def render(self, state: NDArray[np.float64], out: NDArray[np.uint8]) -> None:
        """Renders a state vector ``[D]`` into ``out``, uint8 RGB ``[400, 600, 3]``."""
        state = np.clip(state, self._lowest, self._highest)
        # Rendering rounds to pixels in the precision of the state, and Gymnasium keeps some
        # states in float32: those are rendered in float32, so that the pixels agree.
        single = state.astype(np.float32)
        self._env.state = single if np.array_equal(single, state) else state
        out[:] = self._env.render()

    def close(self) -> None:
        """Does nothing: the environment holds only surfaces.

        Its own ``close`` would shut down pygame for every other renderer of the process.
        """


def cartpole_renderer() -> GymnasiumRenderer:
    """Renders CartPole at 400 x 600 pixels."""
    # pygame fails at coordinates beyond 16 bits, which a long episode can reach.
    edge = np.array([OUT_OF_SIGHT, np.inf, np.inf, np.inf])
    return GymnasiumRenderer(CartPoleEnv(render_mode="rgb_array"), -edge, edge)


def mountain_car_renderer() -> GymnasiumRenderer:
    """Renders MountainCar as lines, at 400 x 600 pixels."""
    return GymnasiumRenderer(Continuous_MountainCarEnv(render_mode="rgb_array"))
