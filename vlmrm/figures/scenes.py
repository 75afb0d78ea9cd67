"""Example frames of the environments and scenes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vlmrm.config import SCENES, EnvironmentName, Rendering
from vlmrm.errors import MissingDependency, UserError
from vlmrm.figures.style import pictures, theme
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import draw

LOGGER = logging.getLogger("vlmrm")

WIDTH = 8.0
"""Width of the figure in inches."""

FRAME_SIZE = 224
"""Side of the humanoid's example frames in pixels."""

EXAMPLES: dict[str, list[list[float]]] = {
    "cartpole": [[-1.2, 0, -0.25, 0], [0, 0, 0, 0], [0.6, 0, 0.1, 0], [1.3, 0, 1.2, 0]],
    "mountain-car": [[-1.1, 0], [-0.5, 0], [0.2, 0], [0.5, 0]],
}
"""States that show the range of a scene."""


def example_frames(
    environment: EnvironmentName, rendering: Rendering
) -> dict[str, NDArray[np.uint8]]:
    """Frames of a few characteristic states in each scene: scene to uint8 ``[n, H, W, 3]``.

    A scene that this machine cannot render is logged and left out.
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
    """Draws a row of frames for each scene, under the scene's name.

    Args:
        rows: Title to uint8 RGB frames ``[n, H, W, 3]``; sizes and ``n`` may differ between rows.
        missing: Scenes without frames, named in a note at the bottom.

    Raises:
        UserError: There is no frame to draw.
    """
    if not rows or any(len(frames) == 0 for frames in rows.values()):
        raise UserError("frames: a scene without frames; render its states first")
    figure, axes = pictures([list(frames) for frames in rows.values()], WIDTH)
    for first, title in zip(axes[:, 0], rows, strict=True):
        first.set_title(title)
    if names := ", ".join(missing):
        figure.supxlabel(f"not available on this machine: {names}", fontsize="small")
    return figure
