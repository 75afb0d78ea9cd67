"""Continuous MountainCar whose goal is absorbing instead of terminal."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.envs.classic_control.continuous_mountain_car import Continuous_MountainCarEnv
from numpy.typing import NDArray

from vlmrm.envs.base import StateEnv

GOAL_POSITION = 0.45
"""Position of the flag, just before the summit at pi / 6."""

ROAD = (-1.2, 0.6)
"""Lowest and highest position of the car."""


class MountainCarEnv(Continuous_MountainCarEnv, StateEnv):
    """Gymnasium's continuous MountainCar; a car that has reached the flag stays there.

    Only the position decides whether the goal was reached, so a reset always starts afresh.

    The reward, for comparison only, is Gymnasium's: 100 on arrival, minus a tenth of the squared
    action at every step until then, and 0 afterwards.
    """

    state_names = ("position", "velocity")

    goal_never_cleared = False
    """Whether an arrival outlasts the reset: a bug in the paper's code."""
    _arrived = False

    def step(
        self, action: NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Advances one time step; never terminates."""
        if self.state[0] >= GOAL_POSITION or (self.goal_never_cleared and self._arrived):
            return self.state.astype(np.float32), 0.0, False, False, {}
        state, reward, _, _, info = super().step(action)
        if state[0] >= GOAL_POSITION:
            self.state[1] = 0.0
            self._arrived = True
        # A copy, because Gymnasium returns its own array.
        return self.state.copy(), float(reward), False, False, info

    def state_vector(self) -> NDArray[np.float64]:
        """``[position, velocity]``, within [-1.2, 0.6] and [-0.07, 0.07] (per time step)."""
        return np.array(self.state, dtype=np.float64)
