"""The classic-control environments' own rewards, as functions of transitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.envs.cartpole import MAX_CART_POSITION, MAX_POLE_ANGLE
from vlmrm.envs.mountain_car import GOAL_POSITION

Array = NDArray[Any]


@dataclass(frozen=True)
class GroundTruth:
    """An environment's own reward.

    Attributes:
        actions: Actions ``[A]`` or ``[A, K]``, evenly spread over the action space.
        reward: States ``[n, D]``, actions and next states to rewards ``[n]``.
    """

    actions: Array
    reward: Callable[[Array, Array, Array], NDArray[np.float64]]


def _cartpole(states: Array, actions: Array, next_states: Array) -> NDArray[np.float64]:
    """1 where Gymnasium would not terminate, else 0."""
    upright = np.abs(next_states[:, 2]) <= MAX_POLE_ANGLE
    return (upright & (np.abs(next_states[:, 0]) <= MAX_CART_POSITION)).astype(np.float64)


def _mountain_car(states: Array, actions: Array, next_states: Array) -> NDArray[np.float64]:
    """100 on arrival, minus a tenth of the squared action until then, and 0 afterwards."""
    arrives = next_states[:, 0] >= GOAL_POSITION
    reward = 100.0 * arrives - 0.1 * actions[:, 0] ** 2
    return np.where(states[:, 0] >= GOAL_POSITION, 0.0, reward)


GROUND_TRUTH: dict[str, GroundTruth] = {
    "cartpole": GroundTruth(np.arange(2), _cartpole),
    "mountain-car": GroundTruth(np.linspace(-1, 1, 9)[:, None], _mountain_car),
}
"""Own reward of each environment. The humanoid's rewards walking, which is not a task here."""
