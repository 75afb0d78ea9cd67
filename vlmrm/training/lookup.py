"""Rewards of the classic-control environments, looked up instead of computed from pictures.

A picture of these environments depends on one or two numbers, so the rewards of a grid of states
are, by interpolation, the reward of every state: training needs no image and no reward model.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from vlmrm.artifacts import States
from vlmrm.errors import UserError

ANGLES: dict[str, tuple[int, ...]] = {"cartpole": (2,)}
"""Entries of the state vectors that are angles, in radians: they repeat after a full turn."""


class InterpolationError(NamedTuple):
    """Absolute error of interpolated rewards."""

    max: float
    mean: float


class RewardGrid:
    """Linear interpolation of rewards on a rectangular grid that need not be even.

    Beyond the grid the reward is that of its edge. Angles are taken to [-pi, pi) first.

    Args:
        axes: Entry of the state vector to its increasing grid values ``[n_i]``, in the order of
            the axes of ``rewards``.
        rewards: ``[n_1, n_2, ...]``.
        angles: Which of these entries are angles.
    """

    def __init__(
        self,
        axes: dict[int, NDArray[np.float64]],
        rewards: NDArray[np.float64],
        angles: Sequence[int] = (),
    ):
        self.axes = axes
        self.rewards = rewards
        self._angles = frozenset(angles)
        self._flat = rewards.ravel()
        strides = [math.prod(rewards.shape[i + 1 :]) for i in range(rewards.ndim)]
        self._grid = [
            (entry, axis, np.diff(axis), stride)
            for (entry, axis), stride in zip(axes.items(), strides, strict=True)
        ]
        # From the first corner of a cell to each of its 2^n corners, the first axis slowest.
        steps = itertools.product(*((0, stride) for stride in strides))
        self._corners = np.array([sum(step) for step in steps])

    @classmethod
    def from_table(
        cls, states: States, rewards: pd.DataFrame, task: str, alpha: float
    ) -> RewardGrid:
        """The grid of one task and alpha out of a rewards table.

        Args:
            states: A complete rectangular grid of states, in any order.
            rewards: Columns state (row of ``states``), task, alpha, reward.
            task: Task whose rewards to take.
            alpha: Regularisation strength whose rewards to take.

        Raises:
            UserError: The states are no grid, or lack rewards of this task and alpha.
        """
        chosen = rewards[(rewards["task"] == task) & np.isclose(rewards["alpha"], alpha)]
        if chosen["state"].max() >= len(states):
            raise UserError(
                f"rewards: they go on to state {chosen['state'].max()}, but there are "
                f"{len(states)} states; use the rewards that were computed for these states"
            )
        values = np.full(len(states), np.nan)
        values[chosen["state"].to_numpy()] = chosen["reward"].to_numpy()
        if not np.isfinite(values).all():
            raise UserError(
                f"rewards: {np.isfinite(values).sum()} of {len(states)} states have a reward for "
                f"task '{task}' and alpha {alpha:g}; score all of them again"
            )
        axes, indices = {}, []
        for entry, column in enumerate(states.values.T):
            axis, index = np.unique(column, return_inverse=True)
            if len(axis) > 1:
                axes[entry] = axis
                indices.append(index)
        table = np.full([len(axis) for axis in axes.values()], np.nan)
        if axes:
            table[tuple(indices)] = values
        if not axes or len(states) != table.size or np.isnan(table).any():
            raise UserError(
                f"states: the {len(states)} states are no complete grid; rewards can be looked up "
                "only on a state set with `sampler: grid`"
            )
        return cls(axes, table, ANGLES.get(states.environment, ()))

    def __call__(self, states: ArrayLike) -> NDArray[np.float32]:
        """Rewards, float32 ``[N]``, of state vectors ``[N, D]``."""
        values = np.asarray(states, dtype=np.float64)
        cell: NDArray[np.intp] = np.zeros(len(values), dtype=np.intp)
        shares = []
        for entry, axis, widths, stride in self._grid:
            value = values[:, entry]
            if entry in self._angles:
                value = (value + np.pi) % (2 * np.pi) - np.pi
            index = axis[1:-1].searchsorted(value, side="right")
            share = (value - axis[index]) / widths[index]
            shares.append(np.minimum(np.maximum(share, 0.0), 1.0))
            cell += index * stride
        rewards = self._flat[cell[:, None] + self._corners]
        for share in shares:
            half = rewards.shape[1] // 2
            near, far = rewards[:, :half], rewards[:, half:]
            rewards = near + share[:, None] * (far - near)
        return rewards[:, 0].astype(np.float32)

    def interpolation_error(self, true_rewards: ArrayLike, states: ArrayLike) -> InterpolationError:
        """How far interpolation is off.

        Args:
            true_rewards: Rewards ``[N]`` computed from the pictures of ``states``.
            states: State vectors ``[N, D]``, away from the grid points.
        """
        error = np.abs(self(states) - np.asarray(true_rewards, dtype=np.float64))
        return InterpolationError(max=float(error.max()), mean=float(error.mean()))
