"""Measurements of rewards against the success of agents."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from vlmrm.diagnosis.measure import SHOWN
from vlmrm.figures.epic import MEASURES
from vlmrm.figures.style import (
    MARKERS,
    LineStyle,
    category_colors,
    finish,
    grid_lines,
    lines,
    ordered,
    panels,
    theme,
    wrapped,
)
from vlmrm.optimization.prediction import DIAGNOSIS, PREFIX

DIAGNOSED = SHOWN | {"level": "verdict"}
"""Labels of measures of a diagnosis; the others are called by their names."""

LABELS = {
    **MEASURES,
    "spearman": "rank correlation with labels",
    "fooled": "wrong among well-rewarded",
    "best_of_n": "best of n fulfills the task",
    **{PREFIX + name: f"diagnosis: {DIAGNOSED.get(name, name)}" for name in DIAGNOSIS},
}
"""Axis labels of predictors."""


@theme()
def draw_prediction(table: pd.DataFrame, correlations: pd.DataFrame) -> Figure:
    """Draws what agents reached against every predictor, the best first, a marker per task.

    Args:
        table: The result of `vlmrm.optimization.prediction.pairs`.
        correlations: That of `vlmrm.optimization.prediction.correlations`; its numbers are titles.
    """
    tasks = ordered(table["task"])
    styles: dict[str, LineStyle] = {
        task: {
            "color": color,
            "marker": MARKERS[n % len(MARKERS)],
            "linestyle": "",
            "markersize": 5,
        }
        for n, (task, color) in enumerate(zip(tasks, category_colors(len(tasks)), strict=True))
    }
    order = correlations["predictor"].tolist()
    points = table.melt(["task", "success_fraction"], order, "predictor")
    grid = panels(
        points, 2.4, 2.1, styles, hue="task", col="predictor", col_order=order,
        col_wrap=wrapped(len(order))[1], sharex=False,
    )  # fmt: skip
    grid.map(plt.plot, "value", "success_fraction")
    grid.set_axis_labels("", "timesteps that\nfulfill the task").set(ylim=(-0.05, 1.05))
    found = correlations.set_index("predictor")[["rho", "rho_low", "rho_high"]]
    for predictor, axes in grid.axes_dict.items():
        axes.set_xlabel(LABELS[predictor])
        axes.set_title(_title(*found.loc[predictor]))
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        grid_lines(axes, "both")
    return finish(grid, lines(styles), title=f"{len(table)} rewards", alignment="left")


def _title(rho: float, low: float, high: float) -> str:
    if math.isnan(rho):  # all agents, or all rewards, are equal
        return "no correlation"
    interval = "" if math.isnan(low) else f"\n({low:.2f} to {high:.2f})"
    return f"\N{GREEK SMALL LETTER RHO} = {rho:.2f}{interval}"
