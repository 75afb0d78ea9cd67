"""Learning curves: what the agents were trained on, and what they did meanwhile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from vlmrm.config import RANDOM_POLICY, TrainingRun
from vlmrm.errors import UserError
from vlmrm.figures.series import REFERENCES, Style, series_styles
from vlmrm.figures.style import GREY, grid_lines, ordered, panels, theme, wrapped
from vlmrm.figures.tables import require_columns

COLUMNS = ("steps", "training_reward", "oracle")
"""Columns of a learning curve that are drawn."""

BINS = 60
"""Parts of the training that one point each stands for."""

RANDOM_LABEL, _ = REFERENCES[RANDOM_POLICY]

RUN = ["task", "scene", "reward", "alpha", "seed"]

Curve = tuple[TrainingRun, pd.DataFrame]
"""A training run and its learning curve."""


def learning_curve_table(curves: Sequence[Curve]) -> pd.DataFrame:
    """All curves in one table, averaged over equal parts of the training and rescaled.

    Returns:
        One row per run and part of the training: task, scene, reward (name of what was trained
        on), alpha, seed, part, steps, training_reward, oracle (share of timesteps), and rescaled:
        the training reward mapped to 0-1 over all seeds of a task, scene, reward and alpha.

    Raises:
        UserError: A column is missing, or no run has finished a round of updates.
    """
    tables = [_rows(run, curve) for run, curve in curves]
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if rows.empty:
        raise UserError("learning curves: no run has finished a round of updates; train longer")
    # In whole numbers: the last step of a part must not slip into the next one.
    longest = rows.groupby(["task", "scene"])["steps"].transform("max")
    rows["part"] = -(-rows["steps"] * BINS // longest)
    parts = rows.groupby([*RUN, "part"], sort=False)
    table = parts[["steps", "training_reward", "oracle"]].mean().reset_index()
    by_series = table.groupby(RUN[:-1])["training_reward"]
    low, high = by_series.transform("min"), by_series.transform("max")
    span = (high - low).where(high > low, 1.0)
    return table.assign(rescaled=(table["training_reward"] - low) / span)


@theme()
def draw_learning_curves(curves: Sequence[Curve], random: Sequence[Curve] = ()) -> Figure:
    """Training reward and share of timesteps that fulfill the oracle against steps.

    A pair of panels for each task and scene. One seed is a line; several are their mean within a
    band from the lowest to the highest. A dotted line is the random policy.

    Args:
        curves: Runs and their learning curves.
        random: Runs of the random policy and their trajectories, as `vlmrm.figures.success` has
            them.

    Raises:
        UserError: A column is missing, or no run has finished a round of updates.
    """
    table = learning_curve_table(curves)
    styles = series_styles(run for run, _ in curves)
    columns = ["rescaled", "oracle"] if table["oracle"].notna().any() else ["rescaled"]
    at_random = {run.task: judged["success_fraction"].mean() for run, judged in random}
    at_random = {task: share for task, share in at_random.items() if not math.isnan(share)}
    groups = list(table.groupby(["task", "scene"], sort=False))
    rows, width = wrapped(len(groups))
    figure, axes = panels(rows * len(columns), width, 3.0, 2.0, sharey="row")
    for panel in axes.flat:
        panel.set_visible(False)
    for index, ((task, scene), group) in enumerate(groups):
        block, column = divmod(index, width)
        pair = axes[block * len(columns) : (block + 1) * len(columns), column]
        pair[0].set_title(f"{task} · {scene}")
        for panel, measure in zip(pair, columns, strict=True):
            panel.set_visible(True)
            _draw_panel(panel, group, measure, styles)
        if len(pair) > 1 and task in at_random:
            pair[1].axhline(at_random[task], color=GREY, linestyle=":", label=RANDOM_LABEL)
        pair[-1].set_xlabel("environment steps")
        if column == 0:
            _label_measures(pair)
    handles = {
        label: handle
        for panel in axes.flat
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    labels = [style.label for style in styles.values()] + [RANDOM_LABEL]
    labels = [label for label in labels if label in handles]
    figure.legend([handles[label] for label in labels], labels, loc="outside right upper")
    return figure


def _rows(run: TrainingRun, curve: pd.DataFrame) -> pd.DataFrame:
    """A learning curve with what its run was."""
    source = (
        f"learning curve of {run.task} on {run.reward_source}, alpha {run.alpha:g}, seed {run.seed}"
    )
    require_columns(curve, COLUMNS, source)
    rows = curve[list(COLUMNS)]
    return rows.assign(**run.model_dump()).reset_index(drop=True)


def _draw_panel(
    axes: Axes, table: pd.DataFrame, measure: str, styles: dict[tuple[str, float], Style]
) -> None:
    if table[measure].isna().all():
        axes.text(0.5, 0.5, "no oracle", transform=axes.transAxes, ha="center", color="0.5")
    for key, style in styles.items():
        series = table[(table["reward"] == key[0]) & (table["alpha"] == key[1])]
        if series.empty:
            continue
        by_part = series.groupby("part")
        steps, values = by_part["steps"].mean(), by_part[measure]
        axes.plot(
            steps, values.mean(), color=style.color, linestyle=style.line, label=style.label,
            linewidth=1.3,
        )  # fmt: skip
        if len(ordered(series["seed"])) > 1:
            axes.fill_between(
                steps, values.min(), values.max(), color=style.color, alpha=0.15, linewidth=0
            )
    axes.set_xlim(0, table["steps"].max())
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylim(-0.04, 1.04)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
    grid_lines(axes)


def _label_measures(pair: NDArray[Any]) -> None:
    pair[0].set_ylabel("training reward\n(rescaled to 0-1)")
    if len(pair) > 1:
        pair[1].set_ylabel("timesteps that\nfulfil the oracle")
        pair[1].yaxis.set_major_formatter(PercentFormatter(1))
