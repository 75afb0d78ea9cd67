"""Agreement of rewards with the labels of a state set."""

from __future__ import annotations

import pandas as pd

from vlmrm.artifacts import States
from vlmrm.config import Task
from vlmrm.epic import measure_epic
from vlmrm.errors import UserError, suggest


def measure_labelled(
    states: States, rewards: pd.DataFrame, name: str, task: Task, bootstrap: int, seed: int
) -> pd.DataFrame:
    """EPIC distance and its companions between the rewards of a task and its labels.

    Args:
        states: Labelled states; where they have a column ``trajectory``, the bootstrap resamples
            trajectories.
        rewards: Rewards of these states by one model in one scene.
        name: The task's name in ``rewards``.
        task: Its oracle names the labels.
        bootstrap: Resamples behind each interval.
        seed: Of the resampling.

    Returns:
        The table of `vlmrm.epic.measure_epic` behind the columns scene and model.

    Raises:
        UserError: The states have no labels for the task, or these or the rewards are degenerate.
    """
    if task.oracle not in states.labels:
        hint = suggest(str(task.oracle), states.labels)
        raise UserError(f"tasks.{name}.oracle: the states have no labels of '{task.oracle}'{hint}")
    chosen = rewards[rewards["task"] == name]
    by_alpha = {
        float(str(alpha)): group.sort_values("state")["reward"].to_numpy()
        for alpha, group in chosen.groupby("alpha")
    }
    try:
        table = measure_epic(
            by_alpha,
            states.labels[task.oracle],
            clusters=states.columns.get("trajectory"),
            bootstrap=bootstrap,
            seed=seed,
        )
    except ValueError as error:
        raise UserError(f"epic of task {name}: {error}") from error
    table.insert(0, "scene", chosen["scene"].iloc[0])
    table.insert(1, "model", chosen["model"].iloc[0])
    return table
