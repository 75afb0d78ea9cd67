"""Agreement of rewards with the labels of a state set."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.artifacts import States
from vlmrm.config import Task
from vlmrm.epic import measure_epic
from vlmrm.errors import UserError, suggest


def measure_labelled(
    states: States,
    rewards: pd.DataFrame,
    name: str,
    task: Task,
    bootstrap: int,
    seed: int,
    decided: tuple[NDArray[np.int64], NDArray[np.bool_]] | None = None,
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
        decided: Instead of the oracle's labels, those of people: rows of the states that they
            decided ``[M]``, and whether each fulfils the task. Only these states are measured.

    Returns:
        The table of `vlmrm.epic.measure_epic` behind the columns labels (whose: human or oracle),
        scene and model.

    Raises:
        UserError: The states have no labels for the task, the rewards are not theirs, or labels or
            rewards are degenerate.
    """
    if decided is None:
        rows, labels = np.arange(len(states)), oracle_labels(states, name, task)
    else:
        rows, labels = decided
    chosen = rewards[rewards["task"] == name]
    by_alpha = {
        float(str(alpha)): group.sort_values("state")["reward"].to_numpy()
        for alpha, group in chosen.groupby("alpha")
    }
    for values in by_alpha.values():
        if len(values) != len(states):
            raise UserError(f"rewards: {len(values)} of task '{name}' for {len(states)} states")
    clusters = states.columns.get("trajectory")
    try:
        table = measure_epic(
            {alpha: values[rows] for alpha, values in by_alpha.items()},
            labels,
            clusters=None if clusters is None else clusters[rows],
            bootstrap=bootstrap,
            seed=seed,
        )
    except ValueError as error:
        raise UserError(f"epic of task {name}: {error}") from error
    table.insert(0, "labels", "oracle" if decided is None else "human")
    table.insert(1, "scene", chosen["scene"].iloc[0])
    table.insert(2, "model", chosen["model"].iloc[0])
    return table


def oracle_labels(states: States, name: str, task: Task) -> NDArray[np.bool_]:
    """The oracle's labels of a task, ``[N]``.

    Raises:
        UserError: The states have none.
    """
    if task.oracle not in states.labels:
        hint = suggest(str(task.oracle), states.labels)
        raise UserError(f"tasks.{name}.oracle: the states have no labels of '{task.oracle}'{hint}")
    return states.labels[task.oracle]
