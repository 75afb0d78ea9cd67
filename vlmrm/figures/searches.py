"""Proxy and gold of searches that climb rewards."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from vlmrm.config.settings import SearchFigureSettings
from vlmrm.config.training import SERIES
from vlmrm.figures.series import with_bands
from vlmrm.figures.style import (
    count_axis,
    finish,
    grid_lines,
    lines,
    model_styles,
    ordered,
    panels,
    scoring_label,
    theme,
)

MEASURES = {
    "proxy_std": "proxy: mean reward\n(sd of random poses)",
    "gold": "gold: poses that\nfulfill the task",
    "score": "mean score\nby the oracle",
}
"""Rows of panels and their axis labels."""


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Where the gold of each reward begins and ends.

    Args:
        table: Tables of `vlmrm.optimization.search.measure_search`, one below the other.

    Returns:
        One row per task, scene, reward source, and scoring: these four; seeds; proxy_std at the
        end; the gold, as a mean over seeds, at the start, at the end (with end_low and end_high,
        those of the lowest and the highest seed), and at its peak; peak_steps, the poses tried by
        then; and drop, the peak minus the end.
    """
    rows = []
    for key, group in table.groupby(SERIES, sort=False):
        gold = group.groupby("steps")["gold"].mean()
        last = group[group["steps"] == group["steps"].max()]
        row = {**dict(zip(SERIES, key, strict=True)), "seeds": group["seed"].nunique()}
        row |= {"proxy_std": last["proxy_std"].mean(), "start": gold.iloc[0]}
        row |= {"end": gold.iloc[-1], "end_low": last["gold"].min(), "end_high": last["gold"].max()}
        row |= {"peak": gold.max(), "peak_steps": gold.idxmax()}
        rows.append({**row, "drop": gold.max() - gold.iloc[-1]})
    return pd.DataFrame(rows)


@theme()
def draw_search(table: pd.DataFrame, settings: SearchFigureSettings) -> Figure:
    """Draws proxy, gold, and score against the number of poses tried, a column of panels per task.

    One seed is a line; several are their mean within a band from the lowest to the highest.

    Args:
        table: Tables of `vlmrm.optimization.search.measure_search`.
        settings: Which rewards are controls.
    """
    several = len(ordered(table["scoring"])) > 1
    names = table["reward_source"].where(
        table["reward_source"].isin(settings.controls) | (not several),
        table["reward_source"] + ", " + table["scoring"].map(scoring_label),
    )
    table = table.assign(series=names)
    controls = set(names[table["reward_source"].isin(settings.controls)])
    styles = model_styles(ordered(names), sorted(controls))
    banded = with_bands(styles, table)
    long = table.melt(["task", "series", "steps", "seed"], list(MEASURES), "measure")
    grid = panels(
        long, 2.2, 1.7, banded, hue="series", sharey="row",
        row="measure", row_order=list(MEASURES), col="task", col_order=ordered(table["task"]),
    )  # fmt: skip
    grid.map_dataframe(
        sns.lineplot, "steps", "value", markeredgewidth=0,
        err_kws={"alpha": 0.12, "linewidth": 0}, legend=False,
    )  # fmt: skip
    grid.set(xscale="log")
    grid.set_axis_labels("poses tried", "")
    for (measure, task), axes in grid.axes_dict.items():
        if measure == "proxy_std":
            axes.set_title(task)
        else:
            axes.set(ylim=(-0.04, 1.04), yticks=[0, 0.5, 1])
        if measure == "gold":
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        if task == grid.col_names[0]:
            axes.set_ylabel(MEASURES[measure])
        count_axis(axes)
        grid_lines(axes)
    return finish(grid, lines(styles))
