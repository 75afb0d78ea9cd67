"""Rewards of a state set for one task and many scorings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config.settings import ScoringSettings
from vlmrm.data.embeddings import Sample
from vlmrm.data.tables import by_scoring
from vlmrm.errors import UserError, blaming
from vlmrm.rewards.directions import Directions


def score_states(
    embeddings: NDArray[np.float32],
    prompts: Mapping[str, NDArray[np.float32]],
    settings: ScoringSettings,
) -> pd.DataFrame:
    """Scores embedded states for a task.

    Args:
        embeddings: Unit image embeddings ``[N, E]``.
        prompts: Sentence to unit embedding ``[E]``.
        settings: The task's sentences, and the scorings. Those whose sentences the task lacks are
            left out.

    Returns:
        A tidy table with the columns state (row of the embeddings), task, scoring, reward.

    Raises:
        UserError: A sentence of the task is not among ``prompts``, its goals cancel out, or its
            baseline has the goal's embedding.
    """
    with blaming(f"tasks.{settings.task}"):
        directions = _directions(prompts, settings)
        rewards = directions.rewards(embeddings, directions.fitting(settings.scorings))
    return reward_table(settings.task, rewards)


def reward_table(task: str, rewards: Mapping[str, NDArray[np.floating[Any]]]) -> pd.DataFrame:
    """A tidy table of the rewards ``[N]`` of states by scoring: state, task, scoring, reward.

    Raises:
        UserError: There is no scoring.
    """
    if not rewards:
        raise UserError(
            f"tasks.{task}: none of `scorings` is possible; add alpha-0 there, or a baseline or a "
            "contrast here"
        )
    tables = [
        pd.DataFrame(
            {"state": np.arange(len(values)), "task": task, "scoring": scoring, "reward": values}
        )
        for scoring, values in rewards.items()
    ]
    return pd.concat(tables, ignore_index=True)


def score_by_goal(
    embeddings: NDArray[np.float32],
    prompts: Mapping[str, NDArray[np.float32]],
    settings: ScoringSettings,
) -> pd.DataFrame:
    """Scores embedded states by each goal sentence of a task, as if it were the only one.

    Returns:
        The columns of `score_states`, and goal.

    Raises:
        UserError: As `score_states`.
    """
    tables = {
        goal: score_states(embeddings, prompts, settings.model_copy(update={"goals": [goal]}))
        for goal in settings.goals
    }
    return pd.concat(tables, names=["goal"]).reset_index("goal").reset_index(drop=True)


def precision_errors(
    table: pd.DataFrame,
    sample: Sample,
    prompts: Mapping[str, NDArray[np.float32]],
    settings: ScoringSettings,
) -> dict[str, float]:
    """`relative_error` of rewards in reduced precision, by scoring.

    Args:
        table: Rewards of a state set in reduced precision, by `score_states`.
        sample: Rows of the set, and their embeddings in full precision.
        prompts: As for `score_states`.
        settings: As for `score_states`.
    """
    rows, embeddings = sample
    exact = by_scoring(score_states(embeddings, prompts, settings), len(rows))
    reduced = by_scoring(table, table["state"].nunique())
    return {name: relative_error(reduced[name][rows], rewards) for name, rewards in exact.items()}


def relative_error(rewards: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Root mean square difference from reference rewards, in their standard deviations.

    0 if all rewards are equal, infinite if only the reference is constant.
    """
    error = np.sqrt(np.mean((rewards.astype(np.float64) - reference) ** 2))
    with np.errstate(divide="ignore"):
        return float(error / np.std(reference.astype(np.float64))) if error else 0.0


def _directions(
    prompts: Mapping[str, NDArray[np.float32]], settings: ScoringSettings
) -> Directions:
    for sentence in settings.sentences:
        if sentence not in prompts:
            raise UserError(f"no embedding of '{sentence}'; embed the prompts again")
    return Directions.of(
        *(
            [prompts[sentence] for sentence in sentences]
            for sentences in (settings.goals, settings.baselines, settings.contrasts)
        )
    )
