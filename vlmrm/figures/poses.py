"""The pose library in pictures, and the states that the oracles find hardest."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from vlmrm.config import Rendering
from vlmrm.figures.style import theme
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import draw
from vlmrm.tasks.body import Bools
from vlmrm.tasks.oracle_accuracy import closest_to_boundary
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import pose_library, turned

Frame = NDArray[np.uint8]

COLUMNS = 12
YAW = np.radians(35)
"""The poses are turned a little to the side, which shows both how wide and how deep they are."""
ACCEPTED, REJECTED = (0.0, 0.45, 0.25), (0.75, 0.2, 0.1)
"""Colors of the oracle's verdict."""


@theme()
def draw_contact_sheet(size: int = 160, scene: str = "textured-fixed") -> Figure:
    """Every pose of the library under the task that it was written for.

    A row of poses that fulfill the task, then its hard negatives. The name's color and mark are
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
    verdicts = [ORACLES[task](np.stack([library[n].state for n in ns])) for task, _, ns in rows]
    return _sheet(
        [
            (title, names, [frames[name] for name in names], verdict)
            for (_, title, names), verdict in zip(rows, verdicts, strict=True)
        ],
        size,
    )


@theme()
def draw_boundaries(count: int = 10, size: int = 160, scene: str = "textured-fixed") -> Figure:
    """A row per task: the states whose verdict hangs by a hair, accepted ones first.

    Args:
        count: States per task.
        size: Side of each picture in pixels.
        scene: One of the humanoid's scenes.
    """
    renderer = make_renderer("humanoid", scene, Rendering(humanoid_size=size))
    rows = []
    for task, oracle in ORACLES.items():
        if oracle.environment == "humanoid":
            states, verdicts = closest_to_boundary(task, count)
            frames = list(draw(renderer, turned(states, YAW)))
            rows.append((task, [""] * len(states), frames, verdicts))
    renderer.close()
    return _sheet(rows, size)


def _sheet(rows: list[tuple[str, list[str], list[Frame], Bools]], size: int) -> Figure:
    """Rows of pictures: title, names, frames, and the oracle's verdicts."""
    columns = max(len(names) for _, names, _, _ in rows)
    inches = size / 100
    layout = ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.02, wspace=0, hspace=0)
    figure = Figure(figsize=(columns * inches, len(rows) * (inches + 0.25)), layout=layout)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for panels, (title, names, frames, verdicts) in zip(axes, rows, strict=True):
        panels[0].set_ylabel(title)
        for panel in panels[len(names) :]:
            panel.set_axis_off()
        for panel, name, frame, accepted in zip(panels, names, frames, verdicts, strict=False):
            panel.imshow(frame, interpolation="antialiased")
            panel.set_xticks([])
            panel.set_yticks([])
            panel.spines[:].set_visible(False)
            mark = "\N{CHECK MARK}" if accepted else "\N{MULTIPLICATION X}"
            color = ACCEPTED if accepted else REJECTED
            panel.set_title(f"{mark} {name}", fontsize=6.5, fontweight="normal", color=color)
    return figure
