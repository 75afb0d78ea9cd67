"""Learning curves: training reward and success against environment steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter

from vlmrm.config import TrainingRun
from vlmrm.config.training import RUN, SERIES
from vlmrm.data.tables import require_columns
from vlmrm.errors import UserError
from vlmrm.figures.series import RANDOM_LINE, series_styles, with_bands
from vlmrm.figures.style import finish, grid_lines, lines, panels, theme, wrapped
from vlmrm.figures.tables import RunTable, rescaled

COLUMNS = ("steps", "training_reward", "oracle")
"""Columns of a learning curve that are drawn."""

BINS = 60
"""Equal parts of the training, each averaged into one point."""

MEASURES = {
    "rescaled": "training reward\n(rescaled to 0-1)",
    "oracle": "timesteps that\nfulfill the oracle",
}
"""Columns of the table and their axis labels, from top to bottom."""


def learning_curve_table(curves: Sequence[RunTable]) -> pd.DataFrame:
    """Returns all curves in one table, averaged over equal parts of the training and rescaled.

    Returns:
        One row per run and part of the training: task, scene, reward_source, scoring, seed,
        part, steps, training_reward, oracle (share of timesteps), and rescaled: the training
        reward mapped to 0-1 over all seeds of a task, scene, reward source, and scoring.

    Raises:
        UserError: A column is missing, or no run has finished a round of updates.
    """
    tables = [_rows(run, curve) for run, curve in curves]
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if rows.empty:
        raise UserError("learning curves: no run has finished a round of updates; train longer")
    # In integers, so that the last step of a part does not slip into the next one.
    longest = rows.groupby(["task", "scene"])["steps"].transform("max")
    rows["part"] = -(-rows["steps"] * BINS // longest)
    parts = rows.groupby([*RUN, "part"], sort=False)
    table = parts[["steps", "training_reward", "oracle"]].mean().reset_index()
    return table.assign(rescaled=rescaled(table, "training_reward", SERIES))


@theme()
def draw_learning_curves(curves: Sequence[RunTable], random: Sequence[RunTable] = ()) -> Figure:
    """Draws training reward and share of timesteps that fulfill the oracle against steps.

    A pair of panels for each task and scene. One seed is a line; several are their mean within a
    band from the lowest to the highest. A dotted line is the random policy.

    Args:
        curves: Runs and their learning curves.
        random: Runs of the random policy and their trajectories, as in `vlmrm.figures.success`.

    Raises:
        UserError: A column is missing, or no run has finished a round of updates.
    """
    table = learning_curve_table(curves)
    measures = [measure for measure in MEASURES if table[measure].notna().any()]
    shares = {run.task: judged["success_fraction"].mean() for run, judged in random}
    shares = {task: share for task, share in shares.items() if not math.isnan(share)}
    # Seeds differ a little in the steps of a part; their mean is taken at the mean of the steps.
    table["steps"] = table.groupby([*SERIES, "part"])["steps"].transform("mean")
    series = pd.MultiIndex.from_frame(table[["reward_source", "scoring"]])
    found = {
        key: style for key, style in series_styles(r for r, _ in curves).items() if key in series
    }
    table["series"] = [found[key].label for key in series]
    styles = {style.label: style.keywords for style in found.values()}
    table["panel"] = table.groupby(["task", "scene"], sort=False).ngroup()
    _, width = wrapped(table["panel"].nunique())
    table["column"] = table["panel"] % width
    long = table.melt(["task", "scene", "panel", "column", "series", "steps"], measures, "measure")
    long["row"] = long["panel"] // width * len(measures) + long["measure"].map(measures.index)
    grid = panels(
        long,
        3.0,
        2.0,
        with_bands(styles, table),
        row="row",
        col="column",
        hue="series",
        sharex=False,
        sharey="row",
    )
    grid.map_dataframe(
        sns.lineplot, "steps", "value", err_kws={"alpha": 0.15, "linewidth": 0}, legend=False
    )
    grid.set_axis_labels("", "").set(yticks=[0, 0.5, 1], ylim=(-0.04, 1.04))
    for axes in grid.axes.flat:
        axes.set_visible(False)
    for (row, column), panel in long.groupby(["row", "column"]):
        axes = grid.axes[row, column]
        axes.set_visible(True)
        task, scene, measure = panel[["task", "scene", "measure"]].iloc[0]
        if measure == measures[0]:
            axes.set_title(f"{task} · {scene}")
        if measure == measures[-1]:
            axes.set_xlabel("environment steps")
        if column == 0:
            axes.set_ylabel(MEASURES[measure])
        if measure == "oracle":
            axes.yaxis.set_major_formatter(PercentFormatter(1))
            if task in shares:
                axes.axhline(shares[task], **RANDOM_LINE)
        if panel["value"].isna().all():
            axes.text(0.5, 0.5, "no oracle", transform=axes.transAxes, ha="center", color="0.5")
        axes.set_xlim(0, panel["steps"].max())
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
        grid_lines(axes)
    drawn = {line.get_label() for axes in grid.axes.flat for line in axes.lines}
    return finish(grid, lines(styles, *[RANDOM_LINE] * (RANDOM_LINE["label"] in drawn)))


def _rows(run: TrainingRun, curve: pd.DataFrame) -> pd.DataFrame:
    """A learning curve with the fields of its run."""
    agent = f"{run.task} on {run.reward_source}, {run.scoring}, seed {run.seed}"
    source = f"learning curve of {agent}"
    require_columns(curve, COLUMNS, source)
    rows = curve[list(COLUMNS)]
    return rows.assign(**run.model_dump()).reset_index(drop=True)
