"""The axis of model sizes: the parameters of image towers, on a logarithmic scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from vlmrm.figures.style import GREY

MANY = 10
"""Models from which on their names stand upright."""

LABEL = "image tower parameters (millions)"


def size_limits(parameters: pd.Series[float]) -> tuple[float, float]:
    """Ends of the axis: a little beyond the smallest and the largest model."""
    return parameters.min() / 1.35, parameters.max() * 1.35


def side_by_side(parameters: pd.Series[float], place: pd.Series[int], n: int) -> pd.Series[float]:
    """Sizes with series slightly apart, or their intervals would hide each other.

    Args:
        parameters: Of the model of each point.
        place: Number of the point's series, from 0 on.
        n: Number of series.
    """
    low, high = size_limits(parameters)
    sizes = np.log10(np.unique(parameters))
    step = min([0.02 * np.log10(high / low), *(0.7 / n * np.diff(sizes))])
    return parameters * 10 ** ((place - (n - 1) / 2) * step)


def size_axis(axes: Axes, low: float, high: float) -> None:
    """Makes the x-axis one of sizes, in millions."""
    axes.set(xscale="log", xlim=(low, high))
    ratio = high / low
    # Ticks per decade: several on a narrow axis, few on a wide one.
    multiples = (1, 2, 3, 5, 7) if ratio < 12 else (1, 2, 5) if ratio < 60 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=multiples))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n / 1e6:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def name_models(axes: Axes, table: pd.DataFrame) -> None:
    """Writes the models' names over the panel, each joined to its place on the axis.

    Args:
        axes: Its x-axis is one of `size_axis`.
        table: Columns model, source, and parameters. Random weights are not named.
    """
    models = table[table["source"] != "random"].drop_duplicates("model")
    low, high = np.log(axes.get_xlim())
    places = (np.log(models["parameters"].to_numpy()) - low) / (high - low)
    crowded = len(models) > MANY
    size, rotation = (6, 90) if crowded else (7, 55)
    width = axes.get_window_extent().width * 72 / axes.figure.dpi
    gap = (size + 1) / np.sin(np.radians(rotation)) / width
    for name, place, shown in zip(models["model"], places, spread_out(places, gap), strict=True):
        axes.plot(
            [place, shown], [1.0, 1.03], color=GREY, linewidth=0.7, transform=axes.transAxes,
            clip_on=False, scalex=False, scaley=False,
        )  # fmt: skip
        axes.text(
            shown, 1.04, name, transform=axes.transAxes, fontsize=size, rotation=rotation,
            rotation_mode="anchor", ha="left", va="center" if crowded else "bottom",
        )  # fmt: skip


def names_height(table: pd.DataFrame) -> float:
    """Space for the names of `name_models` between panel and title, in points."""
    names = table.loc[table["source"] != "random", "model"]
    return 16 + 3.5 * float(max(names.str.len(), default=0))


def spread_out(places: ArrayLike, gap: float) -> NDArray[np.float64]:
    """Moves places on a line apart until neighbors are ``gap`` away, as little as it takes.

    "Little" is the sum of squared distances.
    """
    values = np.asarray(places, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = gap * np.arange(len(values))
    spread = np.empty_like(values)
    if len(values):
        spread[order] = isotonic_regression(values[order] - steps).x + steps
    return spread
