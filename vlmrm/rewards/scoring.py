"""Rewards of a state set, for many tasks and alphas at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config import Task
from vlmrm.errors import UserError
from vlmrm.rewards.goal_baseline import goal_baseline_reward, mean_direction


def score_states(
    embeddings: NDArray[np.float32],
    prompts: Mapping[str, NDArray[np.float32]],
    tasks: Mapping[str, Task],
    alphas: Sequence[float],
) -> pd.DataFrame:
    """Computes the rewards of embedded states.

    Args:
        embeddings: Unit image embeddings ``[N, E]``.
        prompts: Sentence to unit embedding ``[E]``.
        tasks: Name to task.
        alphas: Regularization strengths in [0, 1]; a task without a baseline uses only 0.

    Returns:
        A tidy table with the columns state (row of the embeddings), task, alpha, reward.

    Raises:
        UserError: A task's prompt is not among ``prompts``.
    """
    parts: list[pd.DataFrame] = []
    for name, task in tasks.items():
        goal = mean_direction(_pick(prompts, name, task.goals))
        baseline = mean_direction(_pick(prompts, name, task.baselines)) if task.baselines else None
        used = [alpha for alpha in alphas if alpha == 0 or baseline is not None]
        rewards = goal_baseline_reward(embeddings, goal, baseline, used)
        parts.extend(
            _table(name, alpha, reward) for alpha, reward in zip(used, rewards, strict=True)
        )
    return pd.concat(parts, ignore_index=True)


def _table(task: str, alpha: float, rewards: NDArray[np.float64]) -> pd.DataFrame:
    columns = {"state": np.arange(len(rewards)), "task": task, "alpha": alpha, "reward": rewards}
    return pd.DataFrame(columns)


def _pick(
    prompts: Mapping[str, NDArray[np.float32]], task: str, sentences: Sequence[str]
) -> list[NDArray[np.float32]]:
    for sentence in sentences:
        if sentence not in prompts:
            raise UserError(f"tasks.{task}: no embedding of '{sentence}'; embed the prompts again")
    return [prompts[sentence] for sentence in sentences]
