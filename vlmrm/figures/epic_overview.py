"""EPIC distances of many tasks on one page."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vlmrm.errors import UserError
from vlmrm.figures.epic import (
    COLUMNS,
    DISTANCES,
    MEASURES,
    draw_uninformative,
    model_styles,
    uninformative_line,
)
from vlmrm.figures.style import alpha_label, grid_lines, ordered, panels, theme
from vlmrm.figures.tables import require_columns

SHOWN = ("epic_balanced", "auroc")
"""Measures that do not depend on how many successes a task's states hold."""


@theme()
def draw_epic_overview(table: pd.DataFrame, alpha: float) -> Figure:
    """A line per task, with a point and its interval for every model.

    Args:
        table: Several EPIC tables.
        alpha: The regularization strength that is shown.

    Raises:
        UserError: A column or the alpha is missing.
    """
    needed = [m + suffix for m in SHOWN for suffix in ("", "_low", "_high")]
    require_columns(table, (*COLUMNS, *needed), "EPIC table")
    table = table[np.isclose(table["alpha"], alpha)]
    if table.empty:
        raise UserError(f"EPIC table: no rows with alpha {alpha:g}; measure it first")
    table = table.assign(line=_line_names(table))
    lines = ordered(table["line"])
    height = 0.34 * len(lines) + 0.8
    figure, axes = panels(1, len(SHOWN), 3.2, height, sharey=True)
    for panel, measure in zip(axes[0], SHOWN, strict=True):
        _draw(panel, table, measure, lines)
        panel.set_xlabel(MEASURES[measure] + (" (0 is best)" if measure in DISTANCES else ""))
    axes[0, 0].set_yticks(range(len(lines)), lines)
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_title(alpha_label(alpha))
    handles = [*model_styles(table).values(), uninformative_line()]
    figure.legend(handles=handles, loc="outside right upper")
    return figure


def _line_names(table: pd.DataFrame) -> pd.Series[str]:
    """The task, and what else tells several measurements of it apart."""
    names: pd.Series[str] = table["task"].astype(str)
    for column in ("scene", "states"):
        several = table.groupby("task")[column].transform("nunique") > 1
        names = names.where(~several, names + " · " + table[column].astype(str))
    return names


def _draw(axes: Axes, table: pd.DataFrame, measure: str, lines: list[str]) -> None:
    draw_uninformative(axes, measure, vertical=True)
    styles = model_styles(table)
    offsets = np.linspace(-0.25, 0.25, len(styles)) if len(styles) > 1 else np.zeros(1)
    for (model, style), offset in zip(styles.items(), offsets, strict=True):
        of_model = table[table["model"] == model]
        y = of_model["line"].map(lines.index).to_numpy() + offset
        color = style.get_color()
        axes.hlines(y, of_model[f"{measure}_low"], of_model[f"{measure}_high"], color, linewidth=1)
        axes.plot(
            of_model[measure],
            y,
            linestyle="",
            marker=style.get_marker(),
            markersize=4.5,
            color=color,
            markerfacecolor=style.get_markerfacecolor(),
        )
    grid_lines(axes, "both")
