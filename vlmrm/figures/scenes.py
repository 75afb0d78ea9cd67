"""Example frames of the environments and scenes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from vlmrm.errors import UserError
from vlmrm.figures.style import theme

WIDTH = 8.0
"""Of the figure, in inches."""


@theme()
def draw_scenes(rows: Mapping[str, NDArray[np.uint8]]) -> Figure:
    """A row of frames for each scene, headed by its name.

    Args:
        rows: Title to uint8 RGB frames ``[n, H, W, 3]``; sizes and ``n`` may differ between rows.

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
    return figure
