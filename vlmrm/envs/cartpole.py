"""CartPole without termination: the pole may fall and swing round, the cart may drive away."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control import cartpole
from numpy.typing import NDArray

from vlmrm.envs.base import StateEnv

MAX_POLE_ANGLE = np.radians(12)
"""Gymnasium's own limit for a pole that has not fallen."""

MAX_CART_POSITION = 2.4
"""Position in meters at which the middle of the cart leaves the picture; Gymnasium's own limit."""

OUT_OF_SIGHT = 3.5
"""Position in meters from which on neither cart nor pole (1 m) reaches into the picture."""


class CartPoleEnv(cartpole.CartPoleEnv, StateEnv):
    """Gymnasium's CartPole that goes on whatever happens.

    The dynamics and the initial states are Gymnasium's. Two things follow from going on:

    - The pole swings round. Its angle is kept in [-pi, pi), so that states that are the same to
      the physics and to the eye are the same to the agent too.
    - The cart can leave the picture, which then shows the empty track: beyond `OUT_OF_SIGHT` a
      reward that is computed from pictures is constant. The observation goes on to tell the
      position, so that the agent can find the way back.

    The reward, for comparison only, is 1 in the states in which Gymnasium would not have
    terminated (pole within `MAX_POLE_ANGLE`, cart within `MAX_CART_POSITION`), else 0.
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
        # Gymnasium counts, and warns of, steps taken after a termination.
        self.steps_beyond_terminated = None
        assert self.state is not None
        self.state[2] = wrap_angle(self.state[2])
        return self.state.astype(np.float32), float(not fallen), False, False, info

    def state_vector(self) -> NDArray[np.float64]:
        """``[x, x_dot, theta, theta_dot]`` in m, m/s, rad and rad/s; theta is 0 upright."""
        return np.array(self.state, dtype=np.float64)


def wrap_angle(angle: Any) -> Any:
    """The same angle, in radians, in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
