"""Which poses sentences mean to models."""

from __future__ import annotations

import math

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vlmrm.data.tables import require_columns
from vlmrm.diagnosis.sentences import KNOWN
from vlmrm.figures.style import INK, PAGE, ordered, scoring_label, theme

CELL = 0.31
"""Side of a cell in inches."""
NAMES = 1.1
"""Room for the names of tasks in inches."""


@theme()
def draw_diagnosis(table: pd.DataFrame) -> Figure:
    """Draws the AUROC of each task's sentence for each pose, a panel per model and scene.

    The first scoring is drawn, and the average where a task has several sentences. A frame marks
    the pose that a sentence describes.

    Args:
        table: The result of `vlmrm.diagnosis.tasks.with_verdicts`.

    Raises:
        UserError: A column is missing.
    """
    names = ["task", "scene", "model", "scoring", "oracle"]
    require_columns(table, [*names, *KNOWN], "table of a diagnosis")
    scoring = table["scoring"].iloc[0]
    first = table[table["scoring"] == scoring].drop_duplicates(["task", "scene", "model"])
    tasks, poses = ordered(first["task"]), list(KNOWN)
    groups = list(first.groupby(["scene", "model"], sort=False))
    width = len(poses) * CELL + 0.3
    columns = max(1, min(len(groups), int((PAGE - NAMES) / width)))
    rows = math.ceil(len(groups) / columns)
    size = (columns * width + NAMES, rows * (len(tasks) * CELL + 1.7))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    several = len(ordered(first["scene"])) > 1
    for axes, ((scene, model), group) in zip(grid.flat, groups, strict=False):
        areas = group.set_index("task").reindex(tasks)
        sns.heatmap(
            areas[poses], vmin=0, vmax=1, cmap="vlag_r", annot=True, fmt=".2f", square=True,
            cbar=False, linewidths=0.5, annot_kws={"fontsize": 6.5}, ax=axes,
        )  # fmt: skip
        for row, oracle in enumerate(areas["oracle"]):
            if oracle in poses:  # missing where a task was not measured
                place = (poses.index(oracle), row)
                axes.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor=INK, linewidth=1.4))
        axes.set(xlabel="states that fulfill the task", ylabel="")
        axes.tick_params(length=0)
        axes.set_title(f"{model} · {scene}" if several else model)
    for axes in grid.flat[len(groups) :]:
        axes.remove()
    figure.supylabel(f"sentence of the task, {scoring_label(scoring)}", fontsize=9)
    return figure
