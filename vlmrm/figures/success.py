"""Success rates of trained policies, judged by the oracle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from vlmrm.config import RANDOM_POLICY
from vlmrm.config.training import RUN, SERIES
from vlmrm.data.tables import require_columns
from vlmrm.epic.bootstrap import student_half_width
from vlmrm.errors import UserError
from vlmrm.figures.paper import PAPER, paper_column
from vlmrm.figures.series import RANDOM_LINE, series_styles
from vlmrm.figures.style import (
    INK,
    LineStyle,
    finish,
    grid_lines,
    lines,
    panel_width,
    theme,
    wrapped,
)
from vlmrm.figures.tables import RunTable
from vlmrm.training.curve import best_reward

COLUMNS = ("success", "success_fraction")
"""Required columns of an evaluation."""

INTERVAL: LineStyle = {"color": INK, "linewidth": 1.2, "label": "95 % interval"}
SEED: LineStyle = {"color": INK, "ls": "", "marker": "o", "markersize": 4, "label": "one seed"}
CHOSEN: LineStyle = {
    **SEED,
    "marker": "*",
    "markersize": 10,
    "markeredgecolor": "white",
    "label": "seed of highest training reward",
}


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % score interval of a success rate (Wilson 1927), within [0, 1]."""
    interval = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def success_interval(successes: ArrayLike, trials: ArrayLike) -> tuple[float, float]:
    """95 % interval of the success rate over all seeds, whose agents may differ.

    The trajectories of an agent are not independent of each other: they share what it learned. So
    this is Student's interval of the rates of the n seeds, their mean ± t(n − 1) s / √n with their
    standard deviation s, within [0, 1], and at least Wilson's of all trajectories. A bootstrap of
    few seeds would be far too narrow (Colas et al. 2018, https://arxiv.org/abs/1806.08295). The
    interval of a single seed is Wilson's, and says nothing about others.

    Args:
        successes: Successful trajectories of each seed ``[seeds]``.
        trials: All trajectories of each seed ``[seeds]``.
    """
    won, tried = np.ravel(successes), np.ravel(trials)
    low, high = wilson_interval(int(won.sum()), int(tried.sum()))
    if len(won) > 1:
        rate, half = won.sum() / tried.sum(), student_half_width(won / tried)
        low, high = max(0.0, min(low, rate - half)), min(1.0, max(high, rate + half))
    return float(low), float(high)


def success_table(
    evaluations: Sequence[RunTable], by_seed: bool = False, curves: Sequence[RunTable] = ()
) -> pd.DataFrame:
    """Success rates with 95 % intervals, those of `success_interval`.

    Args:
        evaluations: The runs and their trajectories.
        by_seed: Whether each seed has a row of its own, instead of one for all seeds.
        curves: Learning curves of these runs, if they are known; only of use by seed.

    Returns:
        Columns task, scene, reward_source, scoring, seeds (separated by blanks), trajectories,
        success_rate, low, high, success_fraction (mean share of timesteps that fulfill the task),
        and paper, the result of `vlmrm.figures.paper.paper_column`. With curves, also best_reward,
        that of `vlmrm.training.curve.best_reward`, and chosen: whether it is the highest of the
        seeds, as of the agent that one would take without a judge. Both are of the training,
        whichever of its policies is judged.

    Raises:
        UserError: A column is missing, or no trajectory was judged.
    """
    table = _trajectories(evaluations)
    rows = []
    keys = RUN if by_seed else SERIES
    for key, group in table.groupby(keys, sort=False):
        seeds = group.groupby("seed")["success"].agg(["sum", "size"])
        low, high = success_interval(seeds["sum"], seeds["size"])
        rows.append(
            {
                **dict(zip(keys, key, strict=True)),
                "seeds": " ".join(str(seed) for seed in seeds.index),
                "trajectories": len(group),
                "success_rate": group["success"].mean(),
                "low": low,
                "high": high,
                "success_fraction": group["success_fraction"].mean(),
            }
        )
    rates = pd.DataFrame(rows)
    if by_seed and curves:
        best = pd.DataFrame(
            {**run.model_dump(), "best_reward": best_reward(curve)} for run, curve in curves
        )
        rates = rates.merge(best, on=keys, how="left")
        highest = rates.groupby(SERIES)["best_reward"].transform("max")
        rates["chosen"] = rates["best_reward"] == highest
    rates = rates.drop(columns="seed", errors="ignore")
    return rates.assign(paper=paper_column(rates))


@theme()
def draw_success(evaluations: Sequence[RunTable], curves: Sequence[RunTable] = ()) -> Figure:
    """Draws the success rate of every reward, a panel for each task and scene.

    Bars with 95 % intervals are all seeds together, dots the single seeds, a star the seed with the
    highest reward in training, a dotted line the random policy, and hollow diamonds what the paper
    states.

    Args:
        evaluations: The runs and their trajectories.
        curves: Learning curves of these runs, without which there are no stars.

    Raises:
        UserError: A column is missing, or no trajectory of an agent was judged.
    """
    pooled, single = success_table(evaluations), success_table(evaluations, True, curves)
    styles = series_styles(run for run, _ in evaluations)
    colors = {style.label: style.color for key, style in styles.items() if key[0] != RANDOM_POLICY}
    labels = list(colors)
    for table in (pooled, single):
        table["panel"] = table["task"] + " · " + table["scene"]
        keys = zip(table["reward_source"], table["scoring"], strict=True)
        table["series"] = [styles[key].label for key in keys]
    single = single[single.duplicated(["panel", "series"], keep=False)]
    chosen = single[single["chosen"]] if curves else single[:0]
    # The random policy sees nothing, so its rate is that of all scenes.
    policy = pooled["reward_source"] == RANDOM_POLICY
    random_rates = dict(pooled.loc[policy, ["task", "success_rate"]].to_numpy())
    pooled = pooled[~policy]
    if pooled.empty:
        raise UserError("evaluations: only of the random policy; give those of agents")
    _, columns = wrapped(pooled["panel"].nunique())
    height = 0.75 + 0.27 * len(labels)
    grid = sns.catplot(
        pooled, kind="bar", x="success_rate", y="series", order=labels, hue="series",
        hue_order=labels, palette=colors, col="panel", col_wrap=columns, width=0.62, alpha=0.45,
        saturation=1, errorbar=None, legend=False, height=height,
        aspect=panel_width(2.8, columns) / height,
    )  # fmt: skip
    grid.set_titles("{col_name}").set(
        xlim=(0, 1), xticks=[0, 0.5, 1], ylim=(len(labels) - 0.5, -0.5)
    )
    for panel, axes in grid.axes_dict.items():
        rates = pooled[pooled["panel"] == panel]
        places = rates["series"].map(labels.index)
        axes.hlines(places, rates["low"], rates["high"], color=INK, linewidth=1.2)
        if rates["paper"].notna().any():
            axes.plot(rates["paper"], places, **PAPER, clip_on=False)
        sns.stripplot(
            single[single["panel"] == panel], x="success_rate", y="series", order=labels,
            hue="series", hue_order=labels, palette=colors, jitter=False, size=4, linewidth=0.5,
            edgecolor="white", clip_on=False, zorder=3, legend=False, ax=axes,
        )  # fmt: skip
        stars = chosen[chosen["panel"] == panel]
        if not stars.empty:
            axes.plot(
                stars["success_rate"], stars["series"].map(labels.index), **CHOSEN,
                clip_on=False, zorder=4,
            )  # fmt: skip
        if (task := rates["task"].iloc[0]) in random_rates:
            axes.axvline(random_rates[task], **RANDOM_LINE)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.tick_params(axis="y", length=0)
        grid_lines(axes, "x")
    # After the strips, which name the axes again.
    grid.set_axis_labels("success rate", "")
    shown = {
        SEED["label"]: not single.empty,
        CHOSEN["label"]: not chosen.empty,
        RANDOM_LINE["label"]: not random_rates.keys().isdisjoint(pooled["task"]),
        PAPER["label"]: pooled["paper"].notna().any(),
    }
    entries = [entry for entry in (SEED, CHOSEN, RANDOM_LINE, PAPER) if shown[entry["label"]]]
    return finish(grid, lines({}, INTERVAL, *entries))


def _trajectories(evaluations: Sequence[RunTable]) -> pd.DataFrame:
    """All judged trajectories, with the fields of their runs."""
    tables = []
    for run, evaluation in evaluations:
        source = f"evaluation of {run.task} on {run.reward_source}, {run.scoring}, seed {run.seed}"
        require_columns(evaluation, COLUMNS, source)
        tables.append(evaluation[list(COLUMNS)].dropna().assign(**run.model_dump()))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if table.empty:
        raise UserError("evaluations: no judged trajectory; name an oracle for the task")
    return table.astype({"success": bool})
