"""Rewards of a state set for one task and many alphas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config.settings import ScoringSettings
from vlmrm.data.embeddings import Sample
from vlmrm.errors import UserError, blaming
from vlmrm.rewards.goal_baseline import goal_baseline_reward, mean_direction


def score_states(
    embeddings: NDArray[np.float32],
    prompts: Mapping[str, NDArray[np.float32]],
    settings: ScoringSettings,
) -> pd.DataFrame:
    """Scores embedded states for a task.

    Args:
        embeddings: Unit image embeddings ``[N, E]``.
        prompts: Sentence to unit embedding ``[E]``.
        settings: The task's sentences, and the regularization strengths in [0, 1]. For a task
            without a baseline, only 0 is used.

    Returns:
        A tidy table with the columns state (row of the embeddings), task, alpha, reward.

    Raises:
        UserError: A sentence of the task is not among ``prompts``, its goals cancel out, or its
            baseline has the goal's embedding.
    """
    alphas = [alpha for alpha in settings.alphas if alpha == 0 or settings.baselines]
    with blaming(f"tasks.{settings.task}"):
        goal = _direction(prompts, settings.goals)
        baseline = _direction(prompts, settings.baselines) if settings.baselines else None
        rewards = goal_baseline_reward(embeddings, goal, baseline, alphas)
    tables = [
        pd.DataFrame(
            {
                "state": np.arange(len(values)),
                "task": settings.task,
                "alpha": alpha,
                "reward": values,
            }
        )
        for alpha, values in zip(alphas, rewards, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def precision_errors(
    table: pd.DataFrame,
    sample: Sample,
    prompts: Mapping[str, NDArray[np.float32]],
    settings: ScoringSettings,
) -> dict[str, float]:
    """`relative_error` of rewards in reduced precision, by alpha.

    Args:
        table: Rewards of a state set in reduced precision, by `score_states`.
        sample: Rows of the set, and their embeddings in full precision.
        prompts: As for `score_states`.
        settings: As for `score_states`.
    """
    rows, embeddings = sample
    exact = score_states(embeddings, prompts, settings).groupby("alpha")["reward"]
    reduced = table.groupby("alpha")["reward"]
    return {
        str(alpha): relative_error(reduced.get_group(alpha).to_numpy()[rows], rewards.to_numpy())
        for alpha, rewards in exact
    }


def relative_error(rewards: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Root mean square difference from reference rewards, in their standard deviations.

    0 if all rewards are equal, infinite if only the reference is constant.
    """
    error = np.sqrt(np.mean((rewards.astype(np.float64) - reference) ** 2))
    with np.errstate(divide="ignore"):
        return float(error / np.std(reference.astype(np.float64))) if error else 0.0


def _direction(
    prompts: Mapping[str, NDArray[np.float32]], sentences: Sequence[str]
) -> NDArray[np.float64]:
    for sentence in sentences:
        if sentence not in prompts:
            raise UserError(f"no embedding of '{sentence}'; embed the prompts again")
    return mean_direction([prompts[sentence] for sentence in sentences])
