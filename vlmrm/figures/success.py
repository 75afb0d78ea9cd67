"""Success rates of trained policies, judged by the oracle."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter
from scipy.stats import binomtest

from vlmrm.config import RANDOM_POLICY, TrainingRun
from vlmrm.errors import UserError
from vlmrm.figures.series import Series, Style, series_styles
from vlmrm.figures.style import GREY, INK, grid_lines, panels, theme, wrapped
from vlmrm.figures.tables import require_columns

COLUMNS = ("success", "success_fraction")
"""Columns of an evaluation that are needed."""

KEYS = ["task", "scene", "reward", "alpha"]

Judged = tuple[TrainingRun, pd.DataFrame]
"""A training run and the evaluation of its policy, one row per trajectory."""


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % score interval of a success rate (Wilson 1927), within [0, 1]."""
    interval = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def success_table(evaluations: Sequence[Judged], by_seed: bool = False) -> pd.DataFrame:
    """Success rates with 95 % Wilson intervals.

    The interval of pooled seeds regards all trajectories as independent: it tells how well these
    policies are measured, not how far another seed's policy may lie.

    Args:
        evaluations: The runs and their trajectories.
        by_seed: A row for each seed, instead of one for all seeds together.

    Returns:
        Columns task, scene, reward, alpha, seeds (separated by blanks), trajectories,
        success_rate, low, high, success_fraction (mean share of timesteps that fulfill the task).

    Raises:
        UserError: A column is missing, or no trajectory was judged.
    """
    table = _trajectories(evaluations)
    rows = []
    keys = [*KEYS, "seed"] if by_seed else KEYS
    for key, group in table.groupby(keys, sort=False):
        successes, trials = int(group["success"].sum()), len(group)
        low, high = wilson_interval(successes, trials)
        rows.append(
            {
                **dict(zip(keys, key, strict=True)),
                "seeds": " ".join(str(seed) for seed in sorted(group["seed"].unique())),
                "trajectories": trials,
                "success_rate": successes / trials,
                "low": low,
                "high": high,
                "success_fraction": group["success_fraction"].mean(),
            }
        )
    return pd.DataFrame(rows).drop(columns="seed", errors="ignore")


@theme()
def draw_success(evaluations: Sequence[Judged]) -> Figure:
    """Success rate of every reward, a panel for each task and scene.

    Bars with 95 % Wilson intervals are all seeds together, dots the single seeds, a dashed line
    the random policy.

    Raises:
        UserError: A column is missing, or no trajectory was judged.
    """
    pooled, single = success_table(evaluations), success_table(evaluations, by_seed=True)
    styles = series_styles(run for run, _ in evaluations)
    shown = {key: style for key, style in styles.items() if key[0] != RANDOM_POLICY}
    groups = list(pooled.groupby(["task", "scene"], sort=False))
    rows, columns = wrapped(len(groups))
    height = 0.75 + 0.27 * len(shown)
    figure, axes = panels(rows, columns, 2.8, height, sharex=True, sharey=True)
    for panel in axes.flat[len(groups) :]:
        panel.set_visible(False)
    for index, (panel, ((task, scene), group)) in enumerate(zip(axes.flat, groups, strict=False)):
        seeds = single[(single["task"] == task) & (single["scene"] == scene)]
        _draw_panel(panel, group, seeds, shown)
        panel.set_title(f"{task} · {scene}")
        if index + columns >= len(groups):
            panel.set_xlabel("success rate")
            panel.tick_params(labelbottom=True)
    figure.legend(handles=_legend(pooled, single), loc="outside right upper")
    return figure


def _trajectories(evaluations: Sequence[Judged]) -> pd.DataFrame:
    """All judged trajectories with what their run was."""
    tables = []
    for run, evaluation in evaluations:
        source = (
            f"evaluation of {run.task} on {run.reward_source}, alpha {run.alpha:g}, seed {run.seed}"
        )
        require_columns(evaluation, COLUMNS, source)
        tables.append(evaluation[list(COLUMNS)].dropna().assign(**run.model_dump()))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if table.empty:
        raise UserError("evaluations: no judged trajectory; name an oracle for the task")
    return table.astype({"success": bool})


def _draw_panel(
    axes: Axes, pooled: pd.DataFrame, seeds: pd.DataFrame, shown: dict[Series, Style]
) -> None:
    for place, ((reward, alpha), style) in enumerate(shown.items()):
        rates = _of(pooled, reward, alpha)
        places = [place] * len(rates)
        axes.barh(places, rates["success_rate"], height=0.62, color=style.color, alpha=0.45)
        axes.hlines(places, rates["low"], rates["high"], color=INK, linewidth=1.2)
        dots = _of(seeds, reward, alpha)
        if len(dots) > 1:
            axes.plot(
                dots["success_rate"], [place] * len(dots), linestyle="", marker="o", markersize=4,
                color=style.color, markeredgecolor="white", markeredgewidth=0.5, clip_on=False,
                zorder=3,
            )  # fmt: skip
    for rate in pooled.loc[pooled["reward"] == RANDOM_POLICY, "success_rate"]:
        axes.axvline(rate, color=GREY, linestyle=(0, (3, 2)), linewidth=1.2)
    axes.set_yticks(range(len(shown)), [style.label for style in shown.values()])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1])
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.tick_params(axis="y", length=0)
    grid_lines(axes, "x")


def _of(table: pd.DataFrame, reward: str, alpha: float) -> pd.DataFrame:
    return table[(table["reward"] == reward) & (table["alpha"] == alpha)]


def _legend(pooled: pd.DataFrame, single: pd.DataFrame) -> list[Line2D]:
    handles = [Line2D([], [], color=INK, linewidth=1.2, label="95 % interval")]
    if len(single) > len(pooled):
        handles.append(Line2D([], [], color=INK, linestyle="", marker="o", ms=4, label="one seed"))
    if (pooled["reward"] == RANDOM_POLICY).any():
        label = "random policy"
        handles.append(Line2D([], [], color=GREY, linestyle=(0, (3, 2)), lw=1.2, label=label))
    return handles
