"""How well measurements of a reward predict the success of agents that are trained on it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlmrm.config.training import SERIES
from vlmrm.epic.bootstrap import cluster_bootstrap
from vlmrm.epic.distances import rank_correlation
from vlmrm.errors import UserError

PREDICTORS = {
    "epic": -1,
    "epic_balanced": -1,
    "auroc": 1,
    "spearman": 1,
    "fooled": -1,
    "best_of_n": 1,
}
"""Measurements, and whether large values are good (1) or bad (-1)."""


def pairs(epic: pd.DataFrame, best_of_n: pd.DataFrame, success: pd.DataFrame) -> pd.DataFrame:
    """Measurements of each reward beside the success of its agents.

    Args:
        epic: Tables of `vlmrm.epic.measure.measure_rewards`, of one state set for each task.
        best_of_n: Tables of `vlmrm.figures.best_of_n.best_of_n_table` for the same sets.
        success: Trajectories with the fields of their runs, and columns success and
            success_fraction.

    Returns:
        One row per task, scene, model (reward_source), and scoring that is in all of them: these
        four, the columns of `PREDICTORS`, success_rate, success_fraction, and seeds (how many).

    Raises:
        UserError: There are fewer than three.
    """
    largest = best_of_n[best_of_n["n"] == best_of_n.groupby("task")["n"].transform("max")]
    measured = epic.rename(columns={"model": "reward_source"})[[*SERIES, *list(PREDICTORS)[:-1]]]
    chosen = largest.rename(columns={"model": "reward_source", "gold": "best_of_n"})
    reached = success.groupby(SERIES, sort=False).agg(
        success_rate=("success", "mean"),
        success_fraction=("success_fraction", "mean"),
        seeds=("seed", "nunique"),
    )
    table = measured.merge(chosen[[*SERIES, "best_of_n"]], on=SERIES).merge(reached, on=SERIES)
    if len(table) < 3:
        raise UserError(
            f"{len(table)} rewards were measured and trained on; a correlation needs at least three"
        )
    return table


def correlations(
    table: pd.DataFrame, outcome: str = "success_fraction", bootstrap: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Rank correlation of every predictor with what agents reached.

    Spearman's, with the sign that makes 1 a perfect prediction. The 95 % intervals are percentiles
    over bootstrap resamples of tasks, whose pairs depend on each other; of pairs, where there are
    fewer than three tasks. Resamples in which one of both is constant are left out.

    Args:
        table: The result of `pairs`.
        outcome: Column that is predicted.
        bootstrap: Number of resamples.
        seed: Seed of the resampling.

    Returns:
        One row per predictor, the best first: predictor, rho, rho_low, rho_high (missing where the
        correlation is undefined), and pairs.
    """
    tasks = table["task"].to_numpy()
    clusters = tasks if len(set(tasks)) > 2 else None
    member_of, draw = cluster_bootstrap(len(table), clusters, bootstrap, seed)
    counts = draw(bootstrap)[:, member_of].astype(int)
    reached = table[outcome].to_numpy(np.float64)
    rows = []
    for name, sign in PREDICTORS.items():
        values = sign * table[name].to_numpy(np.float64)
        resampled = [rank_correlation(np.repeat(values, n), np.repeat(reached, n)) for n in counts]
        defined = [rho for rho in resampled if not np.isnan(rho)]
        low, high = np.quantile(defined, (0.025, 0.975)) if defined else (np.nan, np.nan)
        row = {"predictor": name, "rho": rank_correlation(values, reached), "rho_low": low}
        rows.append({**row, "rho_high": high, "pairs": len(table)})
    return pd.DataFrame(rows).sort_values("rho", ascending=False, ignore_index=True)
