"""Pictures of the pose library, and of the oracles' borderline states."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vlmrm.config import ORACLE_NAMES, Rendering, default_scene
from vlmrm.figures.style import LABEL_WIDTH, PICTURE_WIDTH, pictures, theme, verdict
from vlmrm.rendering.crop import close_ups
from vlmrm.tasks.body import Bools
from vlmrm.tasks.oracle_accuracy import closest_to_boundary
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import pose_library, turned

COLUMNS = 9
PICTURE_SIZE = 250
"""Side of each picture in pixels."""
BORDERLINE = 10
"""Borderline states of each task."""
YAW = np.radians(35)
"""The poses are turned a little, which shows both their width and their depth."""

Row = tuple[str, list[str], NDArray[np.float64], Bools]
"""Title, names of the pictures, states, and the oracle's verdicts."""


@theme()
def draw_contact_sheet(
    tasks: Sequence[str] = ORACLE_NAMES["humanoid"], size: int = PICTURE_SIZE
) -> Figure:
    """Draws the poses of the library under the task they were written for.

    Each task has its poses first, then its hard negatives. The color and mark of a name show the
    verdict of the task's oracle.

    Args:
        tasks: Names of the humanoid's oracles.
        size: Side of each picture in pixels.
    """
    library = pose_library()
    rows: list[Row] = []
    for task in tasks:
        fulfilled = [name for name, pose in library.items() if task in pose.tasks]
        near = [name for name, pose in library.items() if task in pose.near]
        for title, names in ((task, fulfilled), (f"not {task}", near)) if fulfilled else ():
            for start in range(0, len(names), COLUMNS):
                part = names[start : start + COLUMNS]
                states = np.stack([library[name].state for name in part])
                rows.append(("" if start else title, part, states, ORACLES[task](states)))
    return _sheet(rows, size)


@theme()
def draw_boundaries(tasks: Sequence[str] = ORACLE_NAMES["humanoid"]) -> Figure:
    """Draws a row of borderline states per task, accepted ones first.

    Args:
        tasks: Names of the humanoid's oracles.
    """
    rows: list[Row] = []
    for task in tasks:
        states, verdicts = closest_to_boundary(task, BORDERLINE)
        rows.append((task, [""] * len(states), states, verdicts))
    return _sheet(rows, PICTURE_SIZE)


def _sheet(rows: list[Row], size: int) -> Figure:
    scene = default_scene("humanoid")
    states = turned(np.concatenate([states for _, _, states, _ in rows]), YAW)
    shown = iter(close_ups("humanoid", states, [scene] * len(states), Rendering(), size))
    frames = [list(itertools.islice(shown, len(states))) for _, _, states, _ in rows]
    width = max(map(len, frames)) * PICTURE_WIDTH
    figure, axes = pictures(frames, width)
    figure.set_size_inches(width + LABEL_WIDTH, figure.get_figheight())
    for panels, (title, names, _, verdicts) in zip(axes, rows, strict=True):
        panels[0].set_ylabel(title)
        for panel, name, accepted in zip(panels, names, verdicts, strict=False):
            mark, color = verdict(accepted)
            points = 6 if name else 11
            panel.set_title(f"{mark} {name}", fontsize=points, fontweight="normal", color=color)
    return figure
