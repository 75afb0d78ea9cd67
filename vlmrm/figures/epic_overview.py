"""EPIC distance and AUROC of many tasks on one page."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vlmrm.figures.epic import DOTTED, MEASURES, UNINFORMATIVE, styles_by_size
from vlmrm.figures.style import (
    draw_intervals,
    finish,
    grid_lines,
    lines,
    ordered,
    panels,
    scoring_label,
    theme,
)
from vlmrm.figures.tables import labeled_by, long_form, with_scoring

BEST = {"epic_balanced": 0, "auroc": 1}
"""Best value of each measure that does not depend on the share of fulfilled states."""


@theme()
def draw_epic_overview(table: pd.DataFrame, scoring: str) -> Figure:
    """Draws a row per task, with a point and its interval for every model.

    Args:
        table: Several EPIC tables.
        scoring: Name of the scoring.

    Raises:
        UserError: A column or the scoring is missing.
    """
    table = with_scoring(table, scoring)
    styles = {model: style | {"linestyle": ""} for model, style in styles_by_size(table).items()}
    names = _row_names(table)
    rows, models = ordered(names), list(styles)
    offsets = np.linspace(-0.25, 0.25, len(models)) if len(models) > 1 else np.zeros(1)
    y = names.map(rows.index) + offsets[table["model"].map(models.index)]
    points = long_form(table.assign(y=y), list(BEST))
    grid = panels(
        points, 3.2, 0.34 * len(rows) + 0.8, styles, col="measure", hue="model", sharex=False
    )
    grid.map_dataframe(draw_intervals).set_axis_labels("", "")
    for measure, axes in grid.axes_dict.items():
        axes.axvline(UNINFORMATIVE[measure], **DOTTED)
        axes.set_xlabel(f"{MEASURES[measure]} ({BEST[measure]} is best)")
        grid_lines(axes, "both")
    first = grid.axes[0, 0]
    first.set_yticks(range(len(rows)), rows)
    first.set_ylim(len(rows) - 0.5, -0.5)
    first.set_title(scoring_label(scoring))
    return finish(grid, lines(styles, DOTTED))


def _row_names(table: pd.DataFrame) -> pd.Series[str]:
    """The task, the scene and state set where they differ within the task, and human labels."""
    names: pd.Series[str] = table["task"].astype(str)
    for column in ("scene", "states"):
        several = table.groupby("task")[column].transform("nunique") > 1
        names = names.where(~several, names + " · " + table[column].astype(str))
    return names + labeled_by(table)
