"""How every figure looks and is saved: theme, colors, panels, files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from vlmrm.data.files import atomic_path
from vlmrm.data.provenance import provenance
from vlmrm.errors import UserError

Color = tuple[float, float, float]

INK: Color = (0.15, 0.15, 0.15)
GREY: Color = (0.55, 0.55, 0.55)
ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
MAX_COLUMNS = 4
"""Panels side by side before the next row begins."""


@contextmanager
def theme() -> Iterator[None]:
    """Sets matplotlib up for the time of a block or a decorated call, and puts it back afterwards.

    Fonts come from matplotlib itself and the SVG writer's ids from a fixed salt, so that the same
    figure is the same file on every machine.
    """
    settings = {
        **sns.axes_style("ticks"),
        **sns.plotting_context("paper"),
        "font.family": ["DejaVu Sans"],
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.labelsize": 9,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 9,
        "axes.titleweight": "bold",
        "legend.fontsize": 8.5,
        "legend.frameon": False,
        "legend.title_fontsize": 8.5,
        "lines.linewidth": 1.6,
        "savefig.dpi": 200,
        "svg.fonttype": "path",
        "svg.hashsalt": "vlmrm",
        "text.color": INK,
        "xtick.color": INK,
        "xtick.labelsize": 8,
        "ytick.color": INK,
        "ytick.labelsize": 8,
    }
    with matplotlib.rc_context(settings):
        yield


def alpha_color(alpha: float) -> Color:
    """The color of a regularization strength in [0, 1], the same in every figure."""
    # The lightest tenth of the map is hard to see on white.
    return matplotlib.colormaps["viridis"](0.9 * alpha)[:3]


def alpha_label(alpha: float) -> str:
    return f"{ALPHA} = {alpha:g}"


def size_colors(n: int) -> list[Color]:
    """Colors for ``n`` models ordered by size, from light to dark."""
    return [tuple(color) for color in sns.color_palette("flare", n)]


def category_colors(n: int) -> list[Color]:
    """Colors that stay apart for color-blind readers, for ``n`` things without an order."""
    return [tuple(color) for color in sns.color_palette("colorblind", n)]


def panels(
    rows: int,
    columns: int,
    width: float = 3.0,
    height: float = 2.3,
    sharex: bool | Literal["none", "all", "row", "col"] = False,
    sharey: bool | Literal["none", "all", "row", "col"] = False,
) -> tuple[Figure, NDArray[Any]]:
    """A figure with a grid of axes ``[rows, columns]``, each ``width`` x ``height`` inches."""
    # Room for the legend beside the panels, whatever their number.
    size = (columns * width + 1.7, rows * height + 0.2)
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.04)
    figure = Figure(figsize=size, layout=layout)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey)
    return figure, axes


def wrapped(n: int) -> tuple[int, int]:
    """Rows and columns of a grid that holds ``n`` panels, its rows of about equal length."""
    rows = -(-n // MAX_COLUMNS)
    return rows, -(-n // rows)


def grid_lines(axes: Axes, axis: Literal["x", "y", "both"] = "y") -> None:
    """Faint lines to read values off."""
    axes.grid(axis=axis, color="0.92", linewidth=0.8)
    axes.set_axisbelow(True)


def save_figure(figure: Figure, path: str | os.PathLike[str], **context: Any) -> list[Path]:
    """Saves a figure as SVG and as PNG, side by side, with its provenance in both.

    Equal figures from equal sources are equal files: neither holds a date.

    Args:
        figure: What to save.
        path: Ends in ``.svg`` or ``.png``; the other file differs in its suffix alone.
        **context: Joins the provenance: inputs, settings.

    Returns:
        The two files.

    Raises:
        UserError: ``path`` has another suffix.
    """
    path = Path(path)
    if path.suffix not in (".svg", ".png"):
        raise UserError(f"{path}: figures are saved as SVG and PNG; let the name end in .svg")
    origin = {key: value for key, value in provenance(**context).items() if key != "created"}
    description = json.dumps(origin, default=str, sort_keys=True)
    files = [path.with_suffix(".svg"), path.with_suffix(".png")]
    for file in files:
        metadata: dict[str, Any] = {"Description": description}
        if file.suffix == ".svg":
            metadata["Date"] = None
        with theme(), atomic_path(file) as temporary:
            figure.savefig(temporary, metadata=metadata)
    return files


def ordered(values: Any) -> list[Any]:
    """Distinct values in the order of their first appearance."""
    return list(dict.fromkeys(np.asarray(values).tolist()))
