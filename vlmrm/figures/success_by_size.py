"""Success of agents against the size of their reward model, beside the EPIC distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from vlmrm.config.scoring import scoring_order
from vlmrm.data.tables import require_columns
from vlmrm.errors import UserError
from vlmrm.figures.epic import DOTTED, MEASURES, SOURCES, UNINFORMATIVE
from vlmrm.figures.paper import PAPER, paper_column
from vlmrm.figures.sizes import (
    LABEL,
    name_models,
    names_height,
    side_by_side,
    size_axis,
    size_limits,
)
from vlmrm.figures.style import (
    GREY,
    MARKERS,
    Color,
    LineStyle,
    category_colors,
    draw_intervals,
    finish,
    grid_lines,
    lines,
    ordered,
    panels,
    scoring_label,
    theme,
)
from vlmrm.figures.success import SEED, success_table
from vlmrm.figures.tables import RunTable, labeled_by

REWARD = ["task", "scene", "model", "scoring"]
"""Columns that say which reward a row is about."""
EPIC = ["states", "epic", "epic_low", "epic_high"]
"""What is taken from EPIC tables."""

SUCCESS = "success rate"
COLUMNS = {"success": SUCCESS, "epic": MEASURES["epic"], "both": SUCCESS}
"""Columns of panels, and the labels of their y-axes."""
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)))
"""Lines of the first, second, and third state set on which a task's EPIC distance was measured."""
CONTROL = SOURCES["random"][0]
ENDS = {"": "value", "_low": "low", "_high": "high"}
"""Names of a measure and of the ends of its interval, without and with which it is drawn."""


def success_by_size_table(
    evaluations: Sequence[RunTable],
    sizes: pd.DataFrame,
    epic: pd.DataFrame | None = None,
    by_seed: bool = False,
) -> pd.DataFrame:
    """Success rates of agents beside the sizes and the EPIC distances of their reward models.

    Args:
        evaluations: The runs and their trajectories. References are left out, and so are models of
            unknown size.
        sizes: Columns model, source, and parameters (of the image tower).
        epic: EPIC tables, in which all but the rewards of the agents is left out.
        by_seed: Whether each seed has a row of its own, instead of one for all seeds.

    Returns:
        One row per reward, and per state set of its EPIC distances, in the order of sizes: task,
        scene, model, source, parameters, scoring, seeds, trajectories, success_rate with its 95 %
        interval (success_rate_low, success_rate_high), success_fraction, paper (the success
        rate that the paper states for this model), states (with a note of human labels), epic,
        epic_low, and epic_high (missing where it was not measured).

    Raises:
        UserError: A column is missing, no trajectory was judged, or no size is known.
    """
    success = success_table(evaluations, by_seed)
    success = success.assign(paper=paper_column(success, only_same_model=True))
    names = {"reward_source": "model", "low": "success_rate_low", "high": "success_rate_high"}
    success = success.rename(columns=names)
    known = sizes[["model", "source", "parameters"]].dropna(subset="parameters")
    table = success.merge(known, on="model")
    if table.empty:
        raise UserError("models: none is the reward of an agent and has a known size")
    if epic is None:
        table[EPIC] = float("nan")
    else:
        require_columns(epic, [*REWARD, *EPIC], "EPIC table")
        epic = epic.assign(states=epic["states"] + labeled_by(epic))
        table = table.merge(epic[[*REWARD, *EPIC]], on=REWARD, how="left")
    for place, name in enumerate(known.columns, 2):
        table.insert(place, name, table.pop(name))
    return table.sort_values("parameters", kind="stable", ignore_index=True)


@theme()
def draw_success_by_size(
    evaluations: Sequence[RunTable], sizes: pd.DataFrame, epic: pd.DataFrame | None = None
) -> Figure:
    """Draws the success rate against the parameters of the image tower, a line per task.

    Each scene and scoring has a row of panels. Where the EPIC distance was measured, the next
    columns have it against the parameters, and the success rate against it. Bars are 95 %
    intervals, dots single seeds, and hollow diamonds what the paper states for the same model.

    Args:
        evaluations: These three are those of `success_by_size_table`.
        sizes: Sizes of models.
        epic: EPIC tables.

    Raises:
        UserError: As there.
    """
    success = success_by_size_table(evaluations, sizes, epic)
    tasks = ordered(success["task"])
    points = _points(success, tasks)
    dots = _points(success_by_size_table(evaluations, sizes, by_seed=True), tasks)
    dots = dots[dots.duplicated(REWARD, keep=False)]
    styles = _styles(points, tasks)
    columns = [name for name in COLUMNS if name in set(points["column"])]
    rows = points.sort_values("scoring", key=lambda names: names.map(scoring_order), kind="stable")
    grid = panels(
        points, 2.5, 2.3, styles, hue="series", sharex=False, sharey="col",
        row="row", row_order=ordered(rows["row"]), col="column", col_order=columns,
    )  # fmt: skip
    grid.map_dataframe(_draw)
    for (row, column), axes in grid.axes_dict.items():
        axes.set_ylabel(COLUMNS[column])
        axes.set_title(row if column == columns[0] else "", pad=names_height(success))
        if column == "epic":
            axes.axhline(UNINFORMATIVE["epic"], **DOTTED)
        else:
            axes.set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1])
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        if column == "both":
            axes.set_xlabel(MEASURES["epic"])
            axes.xaxis.set_major_locator(MaxNLocator(4))
        else:
            axes.set_xlabel(LABEL)
            size_axis(axes, *size_limits(success["parameters"]))
            name_models(axes, points[points["row"] == row])
        if column == "success":
            shown = points[(points["row"] == row) & (points["column"] == column)]
            if shown["paper"].notna().any():
                axes.plot(shown["x"], shown["paper"], **PAPER, zorder=1.5)
            for series, own in dots[dots["row"] == row].groupby("series", sort=False):
                dot = SEED | {"color": styles[series]["color"], "markersize": 3}
                axes.plot(own["x"], own["value"], **dot)
        grid_lines(axes)
    entries = [*[SEED] * (not dots.empty), *[PAPER] * bool(points["paper"].notna().any())]
    return finish(grid, lines(styles, *entries, *[DOTTED] * ("epic" in columns)))


def _points(table: pd.DataFrame, tasks: list[str]) -> pd.DataFrame:
    """The points of all panels, in columns row, column, series, x, value, low, and high."""
    sets = table.groupby("task")["states"].transform("nunique")
    measured = table["task"].where(sets < 2, table["task"] + " · " + table["states"].astype(str))
    size = side_by_side(table["parameters"], table["task"].map(tasks.index), len(tasks))
    table = table.assign(row=table["scene"] + " · " + table["scoring"].map(scoring_label))
    rates = table.rename(columns=lambda name: ENDS.get(name.removeprefix("success_rate"), name))
    epic = table.rename(columns=lambda name: ENDS.get(name.removeprefix("epic"), name))
    parts = [
        rates.drop_duplicates([*REWARD, "seeds"]).assign(
            column="success", series=table["task"], x=size
        ),
        epic.assign(column="epic", series=measured, x=size),
        rates.assign(column="both", series=measured, x=table["epic"]),
    ]
    points = pd.concat([part.dropna(subset=["x", "value"]) for part in parts], ignore_index=True)
    points["series"] = points["series"].where(points["source"] != "random", CONTROL)
    return points.sort_values("x", kind="stable", ignore_index=True)


def _styles(points: pd.DataFrame, tasks: Sequence[str]) -> dict[str, LineStyle]:
    """Style of each series: color and marker stand for the task, the line for the state set."""
    colors = dict(zip(tasks, category_colors(len(tasks)), strict=True))
    styles: dict[str, LineStyle] = {}
    named = points[points["series"] != CONTROL]
    for number, task in enumerate(tasks):
        measured = [s for s in ordered(named["series"][named["task"] == task]) if s != task]
        for place, name in enumerate([task, *measured]):
            styles[name] = {
                "color": colors[task],
                "linestyle": DASHES[max(place - 1, 0) % len(DASHES)],
                "linewidth": 1.3,
                "marker": MARKERS[number % len(MARKERS)],
                "markersize": 5,
                "markerfacecolor": colors[task],
            }
    if CONTROL in set(points["series"]):
        control = {"color": GREY, "linestyle": "", "marker": SOURCES["random"][1]}
        styles[CONTROL] = {**control, "linewidth": 1, "markersize": 5, "markerfacecolor": "white"}
    return styles


def _draw(data: pd.DataFrame, color: Color, label: str, **style: Any) -> None:
    """Draws points with their intervals, in two directions where both axes were measured."""
    if data["column"].iloc[0] == "both":
        style["linestyle"] = ""
        plt.gca().hlines(data["value"], data["epic_low"], data["epic_high"], color, linewidth=1)
    draw_intervals(data, color, label, **style)
