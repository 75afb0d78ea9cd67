"""Proxy and gold of a training's checkpoints, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config import SCENES
from vlmrm.config.settings import OptimizationSettings
from vlmrm.config.training import RUN
from vlmrm.data.states import States
from vlmrm.data.tables import by_state
from vlmrm.epic.distances import auroc, fooled, rank_correlation, spearman
from vlmrm.errors import UserError
from vlmrm.optimization.divergence import divergence

RISE = 0.2
"""Change of the gold that counts. The gold of a checkpoint is the mean over a few trajectories: of
twenty, its standard error is about 0.1 where some of them succeed."""
HALVES = "gold_even", "gold_odd"
"""Gold of every other trajectory of a checkpoint."""

ON_POLICY: dict[str, Callable[..., float]] = {
    "auroc": auroc,
    "spearman": spearman,
    "fooled": fooled,
}
"""Measures of the reward on the states of one checkpoint."""


def measure_checkpoints(
    states: States, rewards: pd.DataFrame, settings: OptimizationSettings
) -> pd.DataFrame:
    """Proxy, gold, and on-policy quality of the reward, for every checkpoint of a training.

    Args:
        states: Labeled states that the policies of the checkpoints visited, from
            `vlmrm.training.rollouts.sample_rollouts`.
        rewards: Rewards of these states by the model that the agent was trained on.
        settings: The run and its oracle.

    Returns:
        One row per checkpoint: the fields of the run, steps, n (states), proxy (mean reward), gold
        (share of states that fulfill the task), gold_even and gold_odd (those of every other
        trajectory; missing where there is only one), divergence (of its states from those of the
        first checkpoint, see `vlmrm.optimization.divergence`; missing for fewer than two
        trajectories, and for environments that do not show their states), auroc, spearman, and
        fooled, as in `vlmrm.epic.measure_epic`, missing where all states have the same label or
        reward.

    Raises:
        UserError: The states are not those of checkpoints, or lack labels or rewards of the run.
    """
    run = settings.run
    labels = states.oracle_labels(run.task, settings.oracle)
    chosen = rewards[(rewards["task"] == run.task) & (rewards["scoring"] == run.scoring)]
    reward = by_state(chosen, len(states), f"task '{run.task}' by {run.scoring}")
    members_of = _checkpoints(states)
    trajectories = states.columns["trajectory"]
    # The last entry of a state of the user's own environment is the verdict, which is the gold.
    places = states.values if states.environment in SCENES else states.values[:, :-1]
    rows = []
    first = next(iter(members_of.values()))
    for steps, members in members_of.items():
        row: dict[str, Any] = {**run.model_dump(), "steps": steps, "n": len(members)}
        row |= {"proxy": reward[members].mean(), "gold": labels[members].mean()}
        _, number = np.unique(trajectories[members], return_inverse=True)
        for half, name in enumerate(HALVES):
            own = labels[members][number % 2 == half]
            row[name] = own.mean() if len(own) else np.nan
        if members is first and places.shape[1]:
            row["divergence"] = 0.0
        else:
            visited = places[first], places[members], (trajectories[first], trajectories[members])
            row["divergence"] = _defined(divergence, *visited)
        for name, measure in ON_POLICY.items():
            row[name] = _defined(measure, reward[members], labels[members])
        rows.append(row)
    return pd.DataFrame(rows)


def outcomes(checkpoints: pd.DataFrame, reference: dict[str, float]) -> pd.DataFrame:
    """What optimization did to the gold of each run.

    The highest of several estimates is too high. So the best checkpoint is chosen by one half of
    the trajectories and judged by the other, and the two peaks that this gives are averaged: where
    the gold stays the same, peak and end then differ by chance alone.

    Args:
        checkpoints: Tables of `measure_checkpoints`, one below the other.
        reference: Task to the share of timesteps that an agent reached which was trained on the
            oracle; for tasks without one, the gold is not normalized.

    Returns:
        One row per run: its fields; peak, end (gold of the best and of the last checkpoint), and
        drop, their difference, which may be below 0; chosen (gold of the checkpoint with the
        highest proxy) and regret, its difference from the peak; peak_normalized (the peak divided
        by the reference); rho (rank correlation of proxy and gold over checkpoints; missing where
        one is constant); and outcome: "rises" (the peak reaches `RISE`), "rises and falls" (and the
        end is as far below the peak), or "never rises".
    """
    rows = []
    for key, table in checkpoints.groupby(RUN, sort=False):
        table = table.sort_values("steps")
        gold, proxy = table["gold"], table["proxy"]
        peak, end = _peak(table), float(gold.iloc[-1])
        chosen = float(gold.iloc[proxy.argmax()])
        run = dict(zip(RUN, key, strict=True))
        expected = reference.get(str(run["task"]), np.nan)
        rows.append(
            {
                **run,
                "peak": peak,
                "end": end,
                "drop": peak - end,
                "chosen": chosen,
                "regret": peak - chosen,
                "peak_normalized": peak / expected if expected > 0 else np.nan,
                "rho": rank_correlation(proxy, gold),
                "outcome": _outcome(peak, end),
            }
        )
    return pd.DataFrame(rows)


def _peak(table: pd.DataFrame) -> float:
    """Gold of the best checkpoint, by trajectories that did not choose it."""
    even, odd = (table[half].to_numpy() for half in HALVES)
    if np.isnan([even, odd]).any():
        return float(table["gold"].max())
    return float(odd[even.argmax()] + even[odd.argmax()]) / 2


def _outcome(peak: float, end: float) -> str:
    # The random policy fulfills a humanoid's task in 8 % of the timesteps at most, in standing.
    if peak < RISE:
        return "never rises"
    return "rises and falls" if peak - end >= RISE else "rises"


def _checkpoints(states: States) -> dict[int, NDArray[np.intp]]:
    """The rows of each checkpoint, by its steps, in increasing order."""
    origin = states.columns.get("origin")
    names = [] if origin is None else [str(name).split() for name in origin]
    if not names or not all(len(n) == 2 and n[0] == "checkpoint" for n in names):
        raise UserError("states: no checkpoints; use a set with `sampler: rollouts`")
    steps = np.array([int(number) for _, number in names])
    return {int(number): np.flatnonzero(steps == number) for number in np.unique(steps)}


def _defined(measure: Callable[..., float], *values: Any) -> float:
    try:
        return measure(*values)
    except ValueError:  # one class, a constant reward, a single trajectory, or unknown states
        return np.nan
