"""The look of every figure, and how figures are saved: theme, colors, panels, files."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib.style
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from vlmrm.config.scoring import alpha_of, scoring_order
from vlmrm.data.files import atomic_path
from vlmrm.data.provenance import provenance
from vlmrm.errors import UserError
from vlmrm.rendering import band

Color = tuple[float, float, float]

LineStyle = dict[str, Any]
"""Keywords of a `matplotlib.lines.Line2D`."""

Styles = Mapping[str, LineStyle]
"""Label of each series to its style."""

GREY: Color = (0.55, 0.55, 0.55)
INK, ACCEPTED, REJECTED = (
    (red / 255, green / 255, blue / 255)
    for red, green, blue in (band.INK, band.ACCEPTED, band.REJECTED)
)
DASHED = (0, (3, 2))
ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
MARKERS = "osD^vPX*"
"""Markers of the first to the eighth series."""
PICTURE_WIDTH = 1.25
"""Width in inches of each of several pictures in a row."""
LABEL_WIDTH = 0.4
"""Width in inches of the names of rows."""
MAX_COLUMNS = 4
"""Panels side by side before the next row begins."""
PAGE = 170 / 25.4
"""Width of a page's text in inches. Figures of panels are not wider, so that they keep their size
in print."""
COLUMN = 85 / 25.4
"""Width of one of two columns of a page in inches, the limit of figures with one panel in a row."""
BESIDE = 1.7
"""Width of a legend beside the panels in inches; below them, it takes `ENTRY` for each row."""
ENTRY = 0.19


@contextmanager
def theme() -> Iterator[None]:
    """Sets up matplotlib within a block or a decorated function, and restores it afterwards.

    The user's own settings do not count, the font ships with matplotlib, and the SVG writer's ids
    use a fixed salt, so the same figure is the same file on every machine.
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
    with matplotlib.rc_context():
        matplotlib.style.use(["default", settings])
        yield


def scoring_color(scoring: str) -> Color:
    """The color of a scoring, the same in every figure."""
    if (alpha := alpha_of(scoring)) is not None:
        # The lightest tenth of the map is hard to see on white.
        return matplotlib.colormaps["viridis"](0.9 * alpha)[:3]
    _, temperature = scoring_order(scoring)
    # From magenta at 0.001 to orange at 1.
    return matplotlib.colormaps["plasma"](0.75 + 0.1 * np.clip(np.log10(temperature), -3, 0))[:3]


def scoring_label(scoring: str) -> str:
    """A scoring in words."""
    _, number = scoring_order(scoring)
    return f"{ALPHA} = {number:g}" if alpha_of(scoring) is not None else f"contrast, T = {number:g}"


def scoring_styles(scorings: Any) -> dict[str, LineStyle]:
    """Line styles of the distinct scorings, in their order, by label."""
    return {scoring_label(s): {"color": scoring_color(s)} for s in ordered_scorings(scorings)}


def ordered_scorings(scorings: Any) -> list[str]:
    """The distinct scorings: alphas by strength, then contrasts by temperature."""
    return sorted(ordered(scorings), key=scoring_order)


def size_colors(n: int) -> list[Color]:
    """Colors for ``n`` models ordered by size, from light to dark."""
    return [tuple(color) for color in sns.color_palette("flare", n)]


def model_styles(models: Sequence[str], controls: Sequence[str] = ()) -> dict[str, LineStyle]:
    """Line styles of models in their order, darker and darker; controls are gray and dashed."""
    sized = [model for model in models if model not in controls]
    colors = dict(zip(sized, size_colors(len(sized)), strict=True))
    return {
        model: {
            "color": colors.get(model, GREY),
            "linestyle": "-" if model in colors else DASHED,
            "marker": MARKERS[number % len(MARKERS)],
            "markersize": 4,
        }
        for number, model in enumerate([*sized, *(m for m in models if m not in colors)])
    }


def category_colors(n: int) -> list[Color]:
    """Colorblind-safe colors for ``n`` unordered categories."""
    return [tuple(color) for color in sns.color_palette("colorblind", n)]


def panels(
    table: pd.DataFrame, width: float, height: float, styles: Styles | None = None, **options: Any
) -> Any:
    """A `seaborn.FacetGrid` of panels, each ``width`` x ``height`` inches.

    Args:
        table: Long-form data.
        width: Width of a panel.
        height: Height of a panel.
        styles: Line styles of the levels of ``hue``, in drawing order.
        **options: Other arguments of the grid.
    """
    columns = options.get("col_wrap") or (
        table[options["col"]].nunique() if "col" in options else 1
    )
    width = panel_width(width, columns)
    if styles:
        keys = dict.fromkeys(key for style in styles.values() for key in style)
        of_hue = {key: [style[key] for style in styles.values()] for key in keys}
        options |= {"hue_order": list(styles), "palette": of_hue.pop("color"), "hue_kws": of_hue}
    grid = sns.FacetGrid(table, height=height, aspect=width / height, **options)
    return grid.set_titles("")


def panel_width(width: float, columns: int) -> float:
    """The width of a panel, or what the paper leaves for each of ``columns``, in inches."""
    return min(width, paper_width(columns) / columns)


def paper_width(columns: int) -> float:
    """The widest that a figure with so many panels in a row may be, in inches."""
    return PAGE if columns > 1 else COLUMN


def finish(grid: Any, handles: Sequence[Artist], **legend: Any) -> Figure:
    """The figure of a seaborn grid, with a legend beside the panels if it fits there, or below."""
    figure: Figure = grid.figure
    # Seaborn opens figures in pyplot, which would keep them forever.
    plt.close(figure)
    width, height = figure.get_size_inches()
    figure.set_layout_engine(
        ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.04)
    )
    for axes in figure.axes:
        spec = axes.get_gridspec()
        assert spec is not None
        _wrap_texts(axes, width / spec.ncols, height / spec.nrows)
    widest = paper_width(len(grid.col_names))
    if width + BESIDE <= widest:
        figure.set_size_inches(width + BESIDE, height + 0.2)
        figure.legend(handles=handles, loc="outside right upper", **legend)
        return figure
    longest = max((len(str(handle.get_label())) for handle in handles), default=1)
    # A letter is about 0.06 inches wide, and a line with its spaces half an inch.
    columns = max(1, min(len(handles), int(widest / (0.5 + 0.06 * longest))))
    rows = math.ceil(len(handles) / columns) + ("title" in legend)
    figure.set_size_inches(widest, height + 0.2 + ENTRY * rows)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, **legend)
    return figure


def _wrap_texts(axes: Axes, width: float, height: float) -> None:
    """Breaks the title and the labels of a panel, of a size in inches, into lines that fit it."""
    titles = [text for text in axes.get_children() if isinstance(text, Text)]
    titles = [title for title in titles if title not in axes.texts]
    across = [(text, width) for text in (*titles, axes.xaxis.label)]
    for text, room in (*across, (axes.yaxis.label, height)):
        # A letter is about 0.6 times as wide as the font is high, and a bold one 0.7.
        bold = text.get_fontweight() == "bold"
        letter = (0.7 if bold else 0.6) * float(text.get_fontsize()) / 72
        fitting = max(int(0.9 * room / letter), 1)
        # An equation stays on its line.
        words = text.get_text().replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
        parts = [
            textwrap.fill(part, fitting, break_long_words=False, break_on_hyphens=False)
            for part in words.split("\n")
        ]
        whole = "\n".join(parts).replace("\N{NO-BREAK SPACE}", " ")
        text.set_text(whole.replace(" ·\n", "\n"))


def lines(styles: Styles, *others: LineStyle) -> list[Line2D]:
    """Legend entries of series, and of other lines, whose keywords include the label."""
    series = [{"label": label, **style} for label, style in styles.items()]
    return [Line2D([], [], **style) for style in [*series, *others]]


def wrapped(n: int) -> tuple[int, int]:
    """Rows and columns of a grid for ``n`` panels, with rows of about equal length."""
    rows = math.ceil(n / MAX_COLUMNS)
    return rows, math.ceil(n / rows)


def draw_intervals(data: pd.DataFrame, color: Color, label: str, **style: Any) -> None:
    """Draws points with their intervals: horizontal ones where the points have a ``y``."""
    axes = plt.gca()
    if "y" in data:
        axes.hlines(data["y"], data["low"], data["high"], color, linewidth=1)
        axes.plot(data["value"], data["y"], color=color, label=label, **style)
    else:
        axes.vlines(data["x"], data["low"], data["high"], color, linewidth=1)
        axes.plot(data["x"], data["value"], color=color, label=label, **style)


def draw_band(data: pd.DataFrame, color: Color, label: str, **style: Any) -> None:
    """Draws a line within the band of its intervals."""
    axes = plt.gca()
    axes.plot(data["x"], data["value"], color=color, label=label, **style)
    if len(data) == 1:  # a band would have no width
        axes.vlines(data["x"], data["low"], data["high"], color, linewidth=1)
    axes.fill_between(data["x"], data["low"], data["high"], color=color, alpha=0.15, linewidth=0)


def verdict(accepted: bool) -> tuple[str, Color]:
    """Mark and color of an oracle's verdict."""
    return band.MARKS[accepted], ACCEPTED if accepted else REJECTED


def grid_lines(axes: Axes, axis: Literal["x", "y", "both"] = "y") -> None:
    """Draws faint lines to read values by."""
    axes.grid(axis=axis, color="0.92", linewidth=0.8)
    axes.set_axisbelow(True)


def count_axis(axes: Axes) -> None:
    """Labels a logarithmic x axis of counts with powers of four, as plain numbers."""
    axes.xaxis.set_major_locator(LogLocator(base=4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def pictures(
    rows: Sequence[Sequence[NDArray[np.uint8]]], width: float
) -> tuple[Figure, NDArray[Any]]:
    """A figure with rows of RGB pictures, each ``[H, W, 3]``, and its axes ``[rows, columns]``.

    Args:
        rows: Pictures; their size and number may differ between rows.
        width: Width of the figure in inches.
    """
    columns = max(len(frames) for frames in rows)
    heights = [frames[0].shape[0] / frames[0].shape[1] * width / columns for frames in rows]
    # A fifth of an inch above each row is for titles.
    layout = ConstrainedLayoutEngine(
        w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01, compress=True
    )
    # Notebooks show figures once pyplot has made one; an open one would be kept forever.
    figure = plt.figure(figsize=(width, sum(heights) + 0.2 * len(rows)), layout=layout)
    plt.close(figure)
    axes = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for panel in axes.flat:
        panel.set(xticks=[], yticks=[], frame_on=False)
    for row, frames in zip(axes, rows, strict=True):
        for panel, frame in zip(row, frames, strict=False):
            panel.imshow(frame, interpolation="antialiased")
            # Many frames are as white as the page.
            panel.set_frame_on(True)
            panel.spines[:].set(visible=True, color="0.8", linewidth=0.5)
    return figure, axes


def save_figure(figure: Figure, paths: Sequence[Path], **context: Any) -> None:
    """Saves a figure under each path, with its provenance in the file.

    Equal figures from equal sources are equal files: none contains a date.

    Args:
        figure: The figure.
        paths: Each ends in ``.svg`` or ``.png``.
        **context: Added to the provenance: inputs, settings.

    Raises:
        UserError: A path has another suffix.
    """
    for path in paths:
        if path.suffix not in (".svg", ".png"):
            raise UserError(f"{path}: not a figure's name; use one that ends in .svg or .png")
    origin = {key: value for key, value in provenance(**context).items() if key != "created"}
    description = json.dumps(origin, default=str, sort_keys=True)
    for path in paths:
        metadata: dict[str, Any] = {"Description": description}
        if path.suffix == ".svg":
            metadata["Date"] = None
        with theme(), atomic_path(path) as temporary:
            figure.savefig(temporary, metadata=metadata)
        # The next file has the same layout, which takes a third of the time.
        figure.set_layout_engine("none")


def ordered(values: Any) -> list[Any]:
    """Distinct values in order of first appearance."""
    return list(dict.fromkeys(np.asarray(values).tolist()))
