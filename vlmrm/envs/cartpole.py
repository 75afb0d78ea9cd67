"""CartPole without termination: the pole may fall and swing around, the cart may drive away."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control import cartpole
from numpy.typing import NDArray

from vlmrm.envs.base import StateEnv

MAX_POLE_ANGLE = np.radians(12)
"""Largest angle in radians of a pole that has not fallen; Gymnasium's limit."""

MAX_CART_POSITION = 2.4
"""Position in meters at which the center of the cart leaves the frame; Gymnasium's limit."""

POLE_LENGTH = 1.0
"""Length of the pole in meters."""

OUT_OF_SIGHT = 3.5
"""Position in meters beyond which neither the cart nor the pole is visible."""


class CartPoleEnv(cartpole.CartPoleEnv, StateEnv):
    """Gymnasium's CartPole, which continues whatever happens.

    The dynamics and the initial states are Gymnasium's. There are two consequences:

    - The pole swings around. Its angle is kept in [-pi, pi), so that states that are the same to
      the physics and in the frame are also the same to the agent.
    - The cart can leave the frame, which then shows the empty track: beyond `OUT_OF_SIGHT` a
      reward that is computed from frames is constant. The observation still contains the position,
      so the agent can find the way back.

    The reward, for comparison only, is 1 in states in which Gymnasium would not have terminated
    (pole within `MAX_POLE_ANGLE`, cart within `MAX_CART_POSITION`), else 0.
    """

    state_names = ("x", "x_dot", "theta", "theta_dot")

    def __init__(self, render_mode: str | None = None):
        super().__init__(render_mode=render_mode)
        high = np.array([np.inf, np.inf, np.pi, np.inf], dtype=np.float32)
        self.observation_space = gym.spaces.Box(-high, high, dtype=np.float32)

    def step(
        self, action: int | NDArray[Any]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Advances 0.02 s; never terminates."""
        _, _, fallen, _, info = super().step(action)  # type: ignore[no-untyped-call]
        # Gymnasium counts steps after termination, and warns about them.
        self.steps_beyond_terminated = None
        assert self.state is not None
        self.state[2] = wrap_angle(self.state[2])
        return self.state.astype(np.float32), float(not fallen), False, False, info

    def state_vector(self) -> NDArray[np.float64]:
        """``[x, x_dot, theta, theta_dot]`` in m, m/s, rad and rad/s; theta is 0 upright."""
        return np.array(self.state, dtype=np.float64)


def pole_in_sight(x: Any, theta: Any) -> Any:
    """Whether a frame shows a part of the pole, by the cart's position and the pole's angle."""
    tip = x + POLE_LENGTH * np.sin(theta)
    return np.minimum(np.abs(x), np.abs(tip)) < MAX_CART_POSITION


def wrap_angle(angle: Any) -> Any:
    """Wraps an angle in radians to [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
