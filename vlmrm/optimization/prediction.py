"""How well measurements of a reward predict the success of agents that are trained on it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config.prediction import LEAST
from vlmrm.config.training import SERIES
from vlmrm.epic.bootstrap import cluster_bootstrap
from vlmrm.epic.distances import rank_correlation

EPIC = {"epic": -1, "epic_balanced": -1, "auroc": 1, "spearman": 1, "fooled": -1}
"""Columns of EPIC tables, and whether large values are good (1) or bad (-1)."""
DIAGNOSIS = {
    "level": 1,
    "progress": 1,
    "closeness": 1,
    "auroc": 1,
    "fooled": -1,
    "best_of_n": 1,
    "margin": 1,
    "spread": 1,
    "ease": 1,
}
"""Columns of tables of diagnoses, likewise."""
PREFIX = "diagnosis_"
"""Tells these from the columns of EPIC tables, which are about other states."""
PREDICTORS = EPIC | {"best_of_n": 1} | {PREFIX + name: sign for name, sign in DIAGNOSIS.items()}
"""Measurements that predict success, likewise."""
FEWEST = 6
"""Tasks, or pairs where there are fewer than three tasks, that an interval needs."""


def epic_predictors(epic: pd.DataFrame, best_of_n: pd.DataFrame) -> pd.DataFrame:
    """The predictors of each reward that EPIC measurements contain.

    Args:
        epic: Tables of `vlmrm.epic.measure.measure_rewards`, of one state set for each task.
        best_of_n: Tables of `vlmrm.figures.best_of_n.best_of_n_table` for the same sets.

    Returns:
        One row per task, scene, model (reward_source), and scoring: these, the columns `EPIC`, and
        best_of_n (for the largest n of the task). Where EPIC is undefined, there is none.
    """
    largest = best_of_n[best_of_n["n"] == best_of_n.groupby("task")["n"].transform("max")]
    measured = epic.rename(columns={"model": "reward_source"})[[*SERIES, *EPIC]].dropna()
    chosen = largest.rename(columns={"model": "reward_source", "gold": "best_of_n"})
    return measured.merge(chosen[[*SERIES, "best_of_n"]], on=SERIES)


def diagnosis_predictors(diagnoses: pd.DataFrame) -> pd.DataFrame:
    """The predictors of each reward that diagnoses contain.

    Args:
        diagnoses: Tables of `vlmrm.diagnosis.tasks.with_verdicts`, of different tasks. Several
            goals of a task stand below their average, which an agent is trained on.

    Returns:
        One row per task, scene, model (reward_source), and scoring: these, and the columns
        `DIAGNOSIS` with `PREFIX`.
    """
    table = diagnoses.rename(columns={"model": "reward_source"}).drop_duplicates(SERIES)
    return table[[*SERIES, *DIAGNOSIS]].rename(columns={n: PREFIX + n for n in DIAGNOSIS})


def pairs(success: pd.DataFrame, *predictors: pd.DataFrame) -> pd.DataFrame:
    """Measurements of each reward beside the success of its agents.

    Args:
        success: Trajectories with the fields of their runs, and columns success and
            success_fraction.
        *predictors: Results of `epic_predictors` or `diagnosis_predictors`.

    Returns:
        One row per task, scene, model (reward_source), and scoring that is in all of them: these
        four, success_rate and success_fraction (means over seeds), seeds (how many), and the
        columns of the predictors.
    """
    agents = success.groupby([*SERIES, "seed"], sort=False, as_index=False).agg(
        success_rate=("success", "mean"), success_fraction=("success_fraction", "mean")
    )
    table = agents.groupby(SERIES, sort=False, as_index=False).agg(
        success_rate=("success_rate", "mean"),
        success_fraction=("success_fraction", "mean"),
        seeds=("seed", "nunique"),
    )
    for measured in predictors:
        table = table.merge(measured, on=SERIES)
    return table


def correlations(
    table: pd.DataFrame, outcome: str = "success_fraction", bootstrap: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Rank correlation of every predictor with what agents reached.

    Spearman's, with the sign that makes 1 a perfect prediction. The 95 % intervals are percentiles
    over bootstrap resamples of tasks, whose pairs depend on each other; of pairs, where there are
    fewer than three tasks. Resamples in which one of both is constant are left out. With fewer than
    `FEWEST` tasks or pairs to resample, there is no interval: it would exclude 0 by chance.

    Args:
        table: The result of `pairs`.
        outcome: Column that is predicted.
        bootstrap: Number of resamples.
        seed: Seed of the resampling.

    Returns:
        One row per predictor in the table, the best first: predictor, rho, rho_low, rho_high
        (missing where they are undefined, as for fewer than three pairs), pairs, and tasks (how
        many).
    """
    tasks = table["task"].to_numpy()
    counts: Iterable[NDArray[np.int64]] = ()
    enough = len(table) >= LEAST
    clusters = tasks if len(set(tasks)) > 2 else None
    if (len(table) if clusters is None else len(set(clusters))) >= FEWEST:
        member_of, draw = cluster_bootstrap(len(table), clusters, bootstrap, seed)
        counts = draw(bootstrap)[:, member_of].astype(int)
    reached = table[outcome].to_numpy(np.float64)
    rows = []
    for name, sign in PREDICTORS.items():
        if name not in table:
            continue
        values = sign * table[name].to_numpy(np.float64)
        resampled = [rank_correlation(np.repeat(values, n), np.repeat(reached, n)) for n in counts]
        defined = [rho for rho in resampled if not np.isnan(rho)]
        low, high = np.quantile(defined, (0.025, 0.975)) if defined else (np.nan, np.nan)
        rho = rank_correlation(values, reached) if enough else np.nan
        row = {"predictor": name, "rho": rho, "rho_low": low, "rho_high": high}
        rows.append({**row, "pairs": len(table), "tasks": len(set(tasks))})
    return pd.DataFrame(rows).sort_values("rho", ascending=False, ignore_index=True)
