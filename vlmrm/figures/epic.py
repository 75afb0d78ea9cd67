"""EPIC distance and AUROC of reward models against model size and against alpha."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vlmrm.config.scoring import alpha_of
from vlmrm.data.tables import require_columns
from vlmrm.errors import UserError
from vlmrm.figures.sizes import (
    LABEL,
    name_models,
    names_height,
    side_by_side,
    size_axis,
    size_limits,
)
from vlmrm.figures.style import (
    ALPHA,
    DASHED,
    GREY,
    INK,
    Color,
    LineStyle,
    draw_band,
    draw_intervals,
    finish,
    grid_lines,
    lines,
    ordered,
    ordered_scorings,
    panels,
    scoring_color,
    scoring_styles,
    size_colors,
    theme,
)
from vlmrm.figures.tables import EPIC_COLUMNS, labeled_by, long_form

MEASURES = {
    "epic": "EPIC distance",
    "epic_balanced": "EPIC distance, class-balanced",
    "auroc": "AUROC",
    "epic_ground_truth": "EPIC distance to own reward",
}
"""Measures and their axis labels; the last needs an environment with a reward function."""

UNINFORMATIVE = {**dict.fromkeys(MEASURES, math.sqrt(0.5)), "auroc": 0.5}
"""Score of a reward that is independent of the labels."""

SOURCES = {
    "pretrained": ("pretrained", "o"),
    "packaged": ("trained on this domain", "s"),
    "simulator": ("trained on this domain", "s"),
    "ensemble": ("ensemble", "P"),
    "unknown": ("of unknown source", "v"),
    "random": ("random weights", "D"),
    "function": ("function", "^"),
}
"""Label and marker of each source of models."""

DOTTED: LineStyle = {
    "color": INK,
    "linestyle": ":",
    "linewidth": 1,
    "label": "uninformative reward",
}


@theme()
def draw_epic_by_size(table: pd.DataFrame) -> Figure:
    """Draws what was measured against the parameters of the image tower, one line per scoring.

    Args:
        table: One or several EPIC tables; each task, state set and scene has a row of panels,
            and each measure a column.

    Raises:
        UserError: A column is missing.
    """
    require_columns(table, EPIC_COLUMNS, "EPIC table")
    unsized = table["parameters"].isna()
    table = _placed(table)
    scorings = ordered_scorings(table["scoring"])
    sources = [source for source in SOURCES if source in set(table["source"])]
    low, high = size_limits(table["parameters"])
    places = table["scoring"].map(scorings.index)
    x = side_by_side(table["parameters"], places, len(scorings))
    styles = {
        f"{source} {scoring}": _style(source, scoring_color(scoring))
        for scoring in scorings
        for source in sources
    }
    series = table["source"] + " " + table["scoring"]
    grid, found = _draw(
        table.assign(x=x, series=series), "series", styles, draw_intervals,
        width=4.9, height=2.2, pad=names_height(table),
    )  # fmt: skip
    grid.set_axis_labels(LABEL + "\nfunctions to the right: unknown" * bool(unsized.any()))
    first, *_ = _measured(table)
    for (group, measure), axes in found.items():
        size_axis(axes, low, high)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        if measure == first:
            name_models(axes, grid.data[grid.data["group"] == group])
    colors = scoring_styles(scorings)
    marks = {SOURCES[source][0]: _style(source, INK) | {"linestyle": ""} for source in sources}
    return finish(grid, lines(colors | marks, DOTTED))


@theme()
def draw_epic_by_alpha(table: pd.DataFrame) -> Figure:
    """Draws what was measured against alpha, one line per model, darker for larger image towers.

    Contrasts, which have no alpha, are left out.

    Args:
        table: One or several EPIC tables; each task, state set and scene has a row of panels,
            and each measure a column.

    Raises:
        UserError: A column, or every alpha, is missing.
    """
    require_columns(table, EPIC_COLUMNS, "EPIC table")
    table = table.assign(x=table["scoring"].map(alpha_of)).dropna(subset="x")
    if table.empty:
        raise UserError("EPIC table: no rows of an alpha; add alpha-0 to `scorings`")
    styles = styles_by_size(table, control_line=DASHED)
    grid, _ = _draw(table, "model", styles, draw_band, 3.2, 2.0)
    grid.set_axis_labels(ALPHA).set(xticks=sorted(ordered(table["x"])))
    return finish(grid, lines(styles, DOTTED))


def styles_by_size(table: pd.DataFrame, control_line: Any = "") -> dict[str, LineStyle]:
    """Line style of each model, by ascending size, random weights last."""
    models = table.drop_duplicates("model").sort_values(["parameters", "model"])
    models = models.sort_values("source", key=lambda source: source == "random", kind="stable")
    controls = int((models["source"] == "random").sum())
    colors = [*size_colors(len(models) - controls), *[GREY] * controls]
    return {
        str(model): _style(str(source), color, control_line)
        for model, source, color in zip(models["model"], models["source"], colors, strict=True)
    }


def _measured(table: pd.DataFrame) -> list[str]:
    """The measures that a table contains; without any, the first two, whose panels stay empty."""
    found = [name for name in MEASURES if name in table and table[name].notna().any()]
    return found or list(MEASURES)[:2]


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    """Models of unknown size stand to the right of the others, side by side."""
    unknown = ordered(table.loc[table["parameters"].isna(), "model"])
    largest = table["parameters"].max() if len(unknown) < table["model"].nunique() else 1e6
    places = {model: largest * 2.0**number for number, model in enumerate(unknown, 1)}
    return table.assign(parameters=table["parameters"].fillna(table["model"].map(places)))


def _style(source: str, color: Color, control_line: Any = "") -> LineStyle:
    """Random weights are gray and hollow."""
    control = source == "random"
    return {
        "color": GREY if control else color,
        "linestyle": control_line if control else "" if source == "function" else "-",
        "linewidth": 1 if control else 1.3,
        "marker": SOURCES[source][1],
        "markersize": 4.5,
        "markerfacecolor": "white" if control else color,
    }


def _draw(
    table: pd.DataFrame,
    hue: str,
    styles: dict[str, LineStyle],
    draw: Callable[..., None],
    width: float,
    height: float,
    pad: float | None = None,
) -> tuple[Any, dict[tuple[str, str], Axes]]:
    """Panels for each measure, and for each task, state set, scene and kind of labels.

    The more numerous of both have rows, the others columns.
    """
    measures = _measured(table)
    group = table["task"] + " · " + table["scene"]
    if table.drop_duplicates(["task", "states"])["task"].duplicated().any():
        group += " · " + table["states"]
    group += labeled_by(table)
    groups = ordered(group)
    points = long_form(table.assign(group=group), measures).sort_values("x", kind="stable")
    places: dict[str, Any] = {"row": "measure", "row_order": measures, "sharey": "row"}
    places |= {"col": "group", "col_order": groups}
    if len(groups) > len(measures):
        places = {"row": "group", "row_order": groups, "sharey": "col"}
        places |= {"col": "measure", "col_order": measures}
    grid = panels(points, width, height, styles, hue=hue, **places)
    grid.map_dataframe(draw)
    axes_dict = {}
    for key, axes in grid.axes_dict.items():
        title, measure = key if places["row"] == "group" else key[::-1]
        axes_dict[title, measure] = axes
        axes.axhline(UNINFORMATIVE[measure], **DOTTED)
        axes.set_ylabel(MEASURES[measure])
        axes.set_title(title if measure == measures[0] else "", pad=pad)
        grid_lines(axes)
    return grid, axes_dict
