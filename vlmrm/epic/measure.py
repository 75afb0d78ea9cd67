"""EPIC distances of a state set's rewards to its labels and to the environment's own reward."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config.settings import EpicSettings
from vlmrm.data.states import States
from vlmrm.data.tables import by_scoring, task_rewards
from vlmrm.envs.ground_truth import GROUND_TRUTH
from vlmrm.epic import measure_epic, measure_ground_truth, tabulate, undefined_measures
from vlmrm.errors import UserError

LOGGER = logging.getLogger("vlmrm")

COLUMNS = (
    *("task", "states", "sampler", "labels", "scene", "model", "source", "parameters"),
    *("text_parameters", "license", "precision", "precision_error"),
)
"""The first columns of an EPIC table; scoring and the measures follow."""

TRANSITION_STATES = 256
"""Number of states whose transitions are compared: all pairs, with every action."""


def measure_rewards(
    states: States,
    rewards: pd.DataFrame,
    settings: EpicSettings,
    human_labels: tuple[NDArray[np.int64], NDArray[np.bool_]] | None = None,
) -> pd.DataFrame:
    """Measures the EPIC distance between rewards and labels of a task, and related measures.

    Args:
        states: Labeled states; if they have a column ``trajectory``, the bootstrap resamples
            trajectories.
        rewards: Rewards of these states by one model in one scene.
        settings: The task, its oracle, and how to measure.
        human_labels: Replaces the oracle's labels: rows of the labeled states ``[M]``, and whether
            each fulfills the task ``[M]``. Only these states are measured.

    Returns:
        The columns labels (human or oracle), scene, and model, followed by those of
        `vlmrm.epic.measure_epic`. If the environment has its own reward, the columns of
        `vlmrm.epic.measure_ground_truth` follow, for `TRANSITION_STATES` of the states. Where all
        labels are the same, as in rollouts of an agent that never succeeds, the measures are NaN,
        and a warning says so.

    Raises:
        UserError: The states have no labels for the task, or the rewards belong to other states or
            are degenerate.
    """
    name = settings.task
    if human_labels is None:
        rows, labels = np.arange(len(states)), states.oracle_labels(name, settings.oracle)
    else:
        rows, labels = human_labels
    scored = task_rewards(rewards, name, len(states))
    scored_rewards = by_scoring(scored, len(states))
    clusters = states.columns.get("trajectory")
    try:
        if labels.all() or not labels.any():
            share = "every" if labels.all() else "no"
            LOGGER.warning("epic of task %s: %s state fulfills it; nothing to measure", name, share)
            table = undefined_measures(scored_rewards, labels)
        else:
            table = measure_epic(
                {scoring: values[rows] for scoring, values in scored_rewards.items()},
                labels,
                clusters=None if clusters is None else clusters[rows],
                bootstrap=settings.bootstrap,
                seed=settings.seed,
            )
        if states.environment in GROUND_TRUTH:
            truth = _to_ground_truth(states, scored_rewards, clusters, settings)
            table = table.merge(truth, on="scoring")
    except ValueError as error:
        raise UserError(f"epic of task {name}: {error}") from error
    judged: dict[str, Any] = {"labels": "oracle" if human_labels is None else "human"}
    judged |= {name: scored[name].iloc[0] for name in ("scene", "model")}
    return table.assign(**judged)[[*judged, *table]]


def with_origin(
    table: pd.DataFrame,
    settings: EpicSettings,
    model: Mapping[str, Any],
    rewards: Mapping[str, Any],
) -> pd.DataFrame:
    """Adds the measurement and the origin of the rewards to a table of `measure_rewards`.

    Args:
        table: The table.
        settings: As there.
        model: Provenance of the model.
        rewards: Provenance of its rewards.

    Returns:
        The table with `COLUMNS` first: parameters and text_parameters are those of the towers, and
        precision_error is that of the scoring in reduced precision.
    """
    parameters, errors = model.get("parameters", {}), rewards.get("precision_errors", {})
    table = table.assign(
        task=settings.task,
        states=settings.states,
        sampler=settings.sampler,
        source=model.get("source", "unknown"),
        parameters=parameters.get("image"),
        text_parameters=parameters.get("text"),
        license=rewards.get("license"),
        precision=rewards.get("precision"),
        precision_error=[errors.get(scoring, np.nan) for scoring in table["scoring"]],
    )
    return table[[*COLUMNS, *(name for name in table if name not in COLUMNS)]]


def _to_ground_truth(
    states: States,
    scorings: dict[str, NDArray[np.floating[Any]]],
    clusters: NDArray[Any] | None,
    settings: EpicSettings,
) -> pd.DataFrame:
    """Distances to the environment's own reward, over transitions among some of the states."""
    truth = GROUND_TRUTH[states.environment]
    rng = np.random.default_rng(settings.seed)
    rows = rng.permutation(len(states))[:TRANSITION_STATES]
    return measure_ground_truth(
        {scoring: values[rows] for scoring, values in scorings.items()},
        tabulate(truth.reward, states.values[rows], truth.actions),
        settings.discount,
        settings.bootstrap,
        settings.seed,
        None if clusters is None else clusters[rows],
    )
