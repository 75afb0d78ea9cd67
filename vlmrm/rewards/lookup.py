"""Rewards of the classic-control environments, looked up instead of computed from frames.

A frame of these environments depends on one or two numbers, so the reward of any state can be
interpolated from the rewards of a grid of states. Training then needs no frames and no model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RegularGridInterpolator

from vlmrm.data.states import States
from vlmrm.data.tables import by_state
from vlmrm.envs.cartpole import wrap_angle
from vlmrm.errors import UserError

ANGLES: dict[str, tuple[int, ...]] = {"cartpole": (2,)}
"""Entries of the state vectors that are angles in radians, and wrap around."""

SMALLEST = 1e-12
"""Smallest standard deviation of a reward; keeps relative errors finite."""


class RewardGrid:
    """Interpolates rewards linearly on a rectangular grid, which may be unevenly spaced.

    Outside the grid, the reward is that of the nearest edge. Angles are wrapped to [-pi, pi).

    Args:
        axes: Entry of the state vector to its increasing grid values ``[n_i]``, in the order of
            the axes of ``rewards``.
        rewards: Rewards of the grid ``[n_1, n_2, ...]``.
        angles: Entries that are angles.
    """

    def __init__(
        self,
        axes: dict[int, NDArray[np.float64]],
        rewards: NDArray[np.float64],
        angles: Sequence[int] = (),
    ):
        self.axes = axes
        self.rewards = rewards
        self._entries = list(axes)
        self._angles = [entry in angles for entry in axes]
        self._lowest, self._highest = np.array([axis[[0, -1]] for axis in axes.values()]).T
        self._interpolate = RegularGridInterpolator(
            tuple(axes.values()), rewards, bounds_error=False
        )

    @classmethod
    def from_table(
        cls, states: States, rewards: pd.DataFrame, task: str, scoring: str
    ) -> RewardGrid:
        """The grid of one task and scoring from a table of rewards.

        Args:
            states: A complete rectangular grid of states, in any order.
            rewards: Columns state (row of ``states``), task, scoring, reward.
            task: Name of the task.
            scoring: Name of the scoring.

        Raises:
            UserError: The states are not a complete grid, or lack rewards of this task and scoring.
        """
        rows = rewards[(rewards["task"] == task) & (rewards["scoring"] == scoring)]
        values = by_state(rows, len(states), f"task '{task}' by {scoring}")
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
                f"states: the {len(states)} states are not a complete grid; look up rewards on a "
                "state set with `sampler: grid`"
            )
        return cls(axes, table, ANGLES.get(states.environment, ()))

    def __call__(self, states: ArrayLike) -> NDArray[np.float32]:
        """Interpolates the rewards, float32 ``[N]``, of state vectors ``[N, D]``."""
        values = np.asarray(states, dtype=np.float64)[:, self._entries]
        values[:, self._angles] = wrap_angle(values[:, self._angles])
        inside = np.clip(values, self._lowest, self._highest)
        return self._interpolate(inside).astype(np.float32)


def measure_interpolation(
    grid: States, grid_rewards: pd.DataFrame, check: States, check_rewards: pd.DataFrame
) -> pd.DataFrame:
    """Measures the error of looked-up rewards, compared with rewards from frames.

    Args:
        grid: A complete grid of states.
        grid_rewards: Rewards of the grid, with columns state, task, scoring, and reward.
        check: States between the grid points.
        check_rewards: Rewards of these states, from the same model in the same scene.

    Returns:
        One row per task and scoring: task, scoring, n (number of checked states), rms and max
        (errors of the reward), deviation (the reward's standard deviation over the checked states),
        and relative (rms divided by deviation).

    Raises:
        UserError: As in `RewardGrid.from_table`.
    """
    rows = []
    for (task, scoring), true in check_rewards.groupby(["task", "scoring"], sort=False):
        lookup = RewardGrid.from_table(grid, grid_rewards, str(task), str(scoring))
        computed = by_state(true, len(check), f"task '{task}' by {scoring}")
        error = lookup(check.values) - computed
        rms, deviation = float(np.sqrt(np.mean(error**2))), float(computed.std())
        rows.append(
            {
                "task": task,
                "scoring": scoring,
                "n": len(true),
                "rms": rms,
                "max": float(np.abs(error).max()),
                "deviation": deviation,
                "relative": rms / max(deviation, SMALLEST),
            }
        )
    return pd.DataFrame(rows)


def refuse_inexact(errors: pd.DataFrame, task: str, scoring: str, max_error: float) -> None:
    """Checks that the interpolation is accurate enough for training.

    Args:
        errors: Table of `measure_interpolation`.
        task: Name of the task.
        scoring: Name of the scoring.
        max_error: Largest value of the column relative.

    Raises:
        UserError: The error is larger, or was not measured.
    """
    row = errors[(errors["task"] == task) & (errors["scoring"] == scoring)]
    if row.empty:
        raise UserError(
            f"errors: not measured for task '{task}' and scoring {scoring}; measure them again"
        )
    relative = float(row["relative"].iloc[0])
    if not relative <= max_error:
        raise UserError(
            f"lookup: for task '{task}' and scoring {scoring}, the interpolation is off by "
            f"{relative:.2g} standard deviations of the reward, more than max_error "
            f"({max_error:g}); raise the resolution of the grid, or train without lookup"
        )
