"""The pose library in pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from vlmrm.config import Rendering
from vlmrm.envs import make_renderer
from vlmrm.envs.rendering import draw
from vlmrm.figures.style import theme
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import pose_library, turned

COLUMNS = 12
YAW = np.radians(35)
"""The poses are turned a little to the side, which shows both how wide and how deep they are."""
ACCEPTED, REJECTED = (0.0, 0.45, 0.25), (0.75, 0.2, 0.1)
"""Colours of the oracle's verdict."""


@theme()
def draw_contact_sheet(size: int = 160, scene: str = "textured-fixed") -> Figure:
    """Every pose of the library under the task that it was written for.

    A row of poses that fulfil the task, then its hard negatives. The name's colour and mark are
    the verdict of the task's oracle.

    Args:
        size: Side of each picture in pixels.
        scene: One of the humanoid's scenes.
    """
    library = pose_library()
    states = turned(np.stack([pose.state for pose in library.values()]), YAW)
    renderer = make_renderer("humanoid", scene, Rendering(humanoid_size=size))
    frames = dict(zip(library, draw(renderer, states), strict=True))
    renderer.close()
    rows: list[tuple[str, str, list[str]]] = []
    tasks = {task for pose in library.values() for task in pose.tasks}
    for task in (task for task in ORACLES if task in tasks):
        groups = {
            task: [name for name, pose in library.items() if task in pose.tasks],
            f"not {task}": [name for name, pose in library.items() if task in pose.near],
        }
        for title, names in groups.items():
            for start in range(0, len(names), COLUMNS):
                rows.append((task, "" if start else title, names[start : start + COLUMNS]))
    inches = size / 100
    layout = ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.02, wspace=0, hspace=0)
    figure = Figure(figsize=(COLUMNS * inches, len(rows) * (inches + 0.25)), layout=layout)
    axes = figure.subplots(len(rows), COLUMNS, squeeze=False)
    for panels, (task, title, names) in zip(axes, rows, strict=True):
        panels[0].set_ylabel(title)
        verdicts = ORACLES[task](np.stack([library[name].state for name in names]))
        for panel in panels[len(names) :]:
            panel.set_axis_off()
        for panel, name, accepted in zip(panels, names, verdicts, strict=False):
            panel.imshow(frames[name], interpolation="antialiased")
            panel.set_xticks([])
            panel.set_yticks([])
            panel.spines[:].set_visible(False)
            mark = "\N{CHECK MARK}" if accepted else "\N{MULTIPLICATION X}"
            colour = ACCEPTED if accepted else REJECTED
            panel.set_title(f"{mark} {name}", fontsize=6.5, fontweight="normal", color=colour)
    return figure
