"""Example frames of the environments and scenes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from vlmrm.config import SCENES, EnvironmentName, Rendering
from vlmrm.errors import MissingDependency, UserError
from vlmrm.figures.style import theme
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import draw

LOGGER = logging.getLogger("vlmrm")

WIDTH = 8.0
"""Of the figure, in inches."""

FRAME_SIZE = 224
"""Side of the humanoid's example frames in pixels."""

EXAMPLES: dict[str, list[list[float]]] = {
    "cartpole": [[-1.2, 0, -0.25, 0], [0, 0, 0, 0], [0.6, 0, 0.1, 0], [1.5, 0, 1.2, 0]],
    "mountain-car": [[-1.1, 0], [-0.5, 0], [0.2, 0], [0.5, 0]],
}
"""States that show what a scene can show."""


def example_frames(
    environment: EnvironmentName, rendering: Rendering
) -> dict[str, NDArray[np.uint8]]:
    """Frames of a few telling states in each scene: scene to uint8 ``[n, H, W, 3]``.

    A scene that this machine cannot draw is left out, which the log tells.
    """
    rendering = rendering.model_copy(update={"humanoid_size": FRAME_SIZE})
    states = np.array(EXAMPLES.get(environment) or _humanoid_examples(), dtype=np.float64)
    frames = {}
    for scene in SCENES[environment]:
        try:
            renderer = make_renderer(environment, scene, rendering)
        except MissingDependency as error:
            LOGGER.warning("%s: not in the figure; %s", scene, error)
            continue
        frames[scene] = draw(renderer, states)
        renderer.close()
    return frames


def _humanoid_examples() -> list[NDArray[np.float64]]:
    from vlmrm.tasks.poses import combinations, settled

    poses = combinations()
    names = ["upright, hanging", "kneel, hanging", "lotus, in-lap", "splits, spread"]
    return list(settled(np.stack([poses[name] for name in names])))


@theme()
def draw_scenes(rows: Mapping[str, NDArray[np.uint8]], missing: Iterable[str] = ()) -> Figure:
    """A row of frames for each scene, headed by its name.

    Args:
        rows: Title to uint8 RGB frames ``[n, H, W, 3]``; sizes and ``n`` may differ between rows.
        missing: Scenes without frames, named in a note below.

    Raises:
        UserError: There is no frame to draw.
    """
    if not rows or any(len(frames) == 0 for frames in rows.values()):
        raise UserError("frames: a scene without frames; render its states first")
    columns = max(len(frames) for frames in rows.values())
    heights = [frames.shape[1] / frames.shape[2] * WIDTH / columns for frames in rows.values()]
    # A quarter of an inch over each row for its title.
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.25 * len(rows)), layout=layout)
    axes = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for row, (title, frames) in zip(axes, rows.items(), strict=True):
        row[0].set_title(title)
        for panel, frame in zip(row, frames, strict=False):
            panel.imshow(frame, interpolation="antialiased")
        for panel in row:
            panel.set_axis_off()
    if names := ", ".join(missing):
        figure.supxlabel(f"not drawn, for want of a driver: {names}", fontsize="small")
    return figure
