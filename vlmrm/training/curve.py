"""The learning curve of one training, as a table."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config import TrainingRun
from vlmrm.data.files import atomic_path

MEANS = ("training_reward", "oracle", "ground_truth")
"""Means over the timesteps of a row."""

MIN_RECENT_EPISODES = 40
"""Number of episodes that score a policy; at least one per environment. With ten, chance outweighs
the progress between two checkpoints."""

Row = dict[str, Any]


class LearningCurve:
    """A learning curve; each row averages the steps of one stretch of training.

    Args:
        run: The training run, whose fields are the first columns.
        n_envs: Number of parallel environments.
        losses: Names of the algorithm's losses, which are the last columns.

    Attributes:
        rows: The rows; unknown values are None.
    """

    def __init__(self, run: TrainingRun, n_envs: int, losses: Iterable[str]):
        self._run = run.model_dump()
        self._measured = (
            *("steps", "wall_seconds", "frames_per_second", "episodes"),
            *MEANS,
            *losses,
        )
        self.rows: list[Row] = []
        self._episodes = 0
        self._sums = np.zeros(3)
        self._count = 0
        self._episode_sums = np.zeros((2, n_envs))
        self._episode_lengths = np.zeros(n_envs)
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=max(MIN_RECENT_EPISODES, n_envs))

    def add(
        self,
        rewards: NDArray[np.floating[Any]],
        satisfied: NDArray[np.bool_] | None,
        ground_truth: NDArray[np.floating[Any]],
        dones: NDArray[np.bool_],
    ) -> None:
        """Adds steps ``[K, N]``; ``satisfied`` are the oracle's verdicts, if there is one."""
        verdicts = np.full(rewards.shape, np.nan) if satisfied is None else satisfied
        values = np.stack([rewards, verdicts, ground_truth]).astype(np.float64)
        self._sums += values.sum(axis=(1, 2))
        self._count += rewards.size
        start = 0
        for last in np.flatnonzero(dones.any(axis=1)).tolist():
            self._extend_episodes(values[:2, start : last + 1])
            self._end_episodes(np.flatnonzero(dones[last]))
            start = last + 1
        self._extend_episodes(values[:2, start:])

    def _extend_episodes(self, values: NDArray[np.float64]) -> None:
        self._episode_sums += values.sum(axis=1)
        self._episode_lengths += values.shape[1]

    def _end_episodes(self, environments: NDArray[np.intp]) -> None:
        means = self._episode_sums[:, environments] / self._episode_lengths[environments]
        self._recent.extend(means.T)
        self._episodes += len(environments)
        self._episode_sums[:, environments] = 0
        self._episode_lengths[environments] = 0

    def forget_episodes(self) -> None:
        """Leaves episodes that have not ended out of the scores of policies; no step is lost."""
        self._episode_sums[:] = self._episode_lengths[:] = 0

    @property
    def state(self) -> dict[str, Any]:
        """Everything that later rows depend on; setting it continues that curve."""
        return {
            "rows": self.rows,
            "episodes": self._episodes,
            "sums": self._sums,
            "count": self._count,
            "episode_sums": self._episode_sums,
            "episode_lengths": self._episode_lengths,
            "recent": list(self._recent),
        }

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.rows = state["rows"]
        self._episodes = state["episodes"]
        self._sums = state["sums"]
        self._count = state["count"]
        self._episode_sums = state["episode_sums"]
        self._episode_lengths = state["episode_lengths"]
        self._recent.extend(state["recent"])

    @property
    def _columns(self) -> list[str]:
        return [*self._run, *self._measured]

    @property
    def recent(self) -> dict[str, float]:
        """Mean reward and share of fulfilled timesteps of the latest episodes; NaN if unknown."""
        reward, oracle = np.mean(self._recent, axis=0) if self._recent else (np.nan, np.nan)
        return {"reward": float(reward), "oracle": float(oracle)}

    @property
    def has_enough_episodes(self) -> bool:
        """Whether as many episodes have ended as score a policy."""
        return len(self._recent) == self._recent.maxlen

    @property
    def steps(self) -> int:
        """Number of steps up to the last row."""
        return int(self.rows[-1]["steps"] or 0) if self.rows else 0

    def end_row(self, steps: int, seconds: float, rate: float, losses: dict[str, float]) -> Row:
        """Adds a row for the steps since the last one."""
        means = [None if np.isnan(mean) else float(mean) for mean in self._sums / self._count]
        self._sums[:] = self._count = 0
        values = (steps, round(seconds, 3), round(rate, 1), self._episodes, *means)
        known = dict(zip(self._measured, values, strict=False))
        measured = {column: {**known, **losses}.get(column) for column in self._measured}
        self.rows.append({**self._run, **measured})
        return self.rows[-1]

    def write(self, path: Path) -> None:
        """Writes the whole table."""
        with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(self.rows)


def best_reward(curve: pd.DataFrame) -> float:
    """The highest mean reward of `MIN_RECENT_EPISODES` successive episodes, at any time.

    It is about that of ``best.zip``, which is of a checkpoint, and of an episode of each
    environment where those are more.

    Args:
        curve: Table of a learning curve. If it has fewer episodes, all of them count; if none has
            ended, all steps.
    """
    rewards, episodes = (curve[name].to_numpy() for name in ("training_reward", "episodes"))
    ends = np.flatnonzero(np.diff(episodes, prepend=0))
    if not len(ends):
        return float(rewards.mean())
    counts = episodes[ends]
    # From the row after an end to that of another, as rewards may rise or fall in each episode.
    before = np.searchsorted(counts, counts - MIN_RECENT_EPISODES, side="right")
    starts = np.append(0, ends + 1)[before]
    enough = counts >= min(MIN_RECENT_EPISODES, counts[-1])
    windows = zip(starts[enough], ends[enough], strict=True)
    return float(max(rewards[start : end + 1].mean() for start, end in windows))
