"""EPIC distance (and AUROC) of reward models against their size and against alpha."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from vlmrm.figures.style import (
    ALPHA,
    GREY,
    INK,
    alpha_color,
    alpha_label,
    grid_lines,
    ordered,
    panels,
    size_colors,
    theme,
)
from vlmrm.figures.tables import require_columns

COLUMNS = ("task", "states", "scene", "model", "source", "parameters", "alpha")
"""Columns of an EPIC table besides the measures and their ``_low`` and ``_high``."""

MEASURES = {
    "epic": "EPIC distance",
    "epic_balanced": "EPIC distance, class-balanced",
    "auroc": "AUROC",
    "epic_ground_truth": "EPIC distance to own reward",
}
"""What can be drawn; the last one only where the environment has a reward of its own."""
UNINFORMATIVE = {**dict.fromkeys(MEASURES, math.sqrt(0.5)), "auroc": 0.5}
"""What a reward that is independent of the labels scores."""

DISTANCES = ("epic", "epic_balanced", "epic_ground_truth")

MARKERS = {"pretrained": "o", "simulator": "s", "random": "D"}
SOURCES = {
    "pretrained": "pretrained",
    "simulator": "trained on this domain",
    "random": "random weights",
}


@theme()
def draw_epic_by_size(
    table: pd.DataFrame, measures: Sequence[str] = ("epic", "epic_balanced")
) -> Figure:
    """Measures against the parameters of the image tower, one line per alpha.

    Args:
        table: One or several EPIC tables; each task, state set and scene gets a row of panels.
        measures: Names from `MEASURES`; each gets a column of panels.

    Raises:
        UserError: A column is missing.
    """
    groups = _groups(table, measures)
    figure, axes = panels(len(groups), len(measures), 3.4, 2.9, sharex=True, sharey="col")
    for row, (title, group) in enumerate(groups):
        names = group[group["source"] != "random"].drop_duplicates("model")
        for panel, measure in zip(axes[row], measures, strict=True):
            _draw_sizes(panel, group, measure)
            panel.set_ylabel(MEASURES[measure])
            _name_models(panel, names["model"].tolist(), names["parameters"].to_numpy())
        axes[row, 0].set_title(title, pad=_name_height(names["model"]))
    for panel in axes[-1]:
        panel.set_xlabel("image tower parameters (millions)")
    figure.legend(handles=_size_legend(table), loc="outside right upper")
    return figure


@theme()
def draw_epic_by_alpha(
    table: pd.DataFrame, measures: Sequence[str] = ("epic", "epic_balanced")
) -> Figure:
    """Measures against alpha, one line per model, darker for larger image towers.

    Args:
        table: One or several EPIC tables; each task, state set and scene gets a row of panels.
        measures: Names from `MEASURES`; each gets a column of panels.

    Raises:
        UserError: A column is missing.
    """
    groups = _groups(table, measures)
    styles = model_styles(table)
    figure, axes = panels(len(groups), len(measures), 3.2, 2.5, sharex=True, sharey="col")
    for row, (title, group) in enumerate(groups):
        for panel, measure in zip(axes[row], measures, strict=True):
            _draw_alphas(panel, group, measure, styles)
            panel.set_ylabel(MEASURES[measure])
        axes[row, 0].set_title(title)
    for panel in axes[-1]:
        panel.set_xlabel(ALPHA)
    handles = [*styles.values(), uninformative_line()]
    figure.legend(handles=handles, loc="outside right upper")
    return figure


def measured(table: pd.DataFrame) -> list[str]:
    """The measures that a table holds."""
    return [name for name in MEASURES if name in table and table[name].notna().any()]


def _groups(table: pd.DataFrame, measures: Sequence[str]) -> list[tuple[str, pd.DataFrame]]:
    """Title and rows of each task, state set, scene and kind of labels."""
    needed = [m + suffix for m in measures for suffix in ("", "_low", "_high")]
    require_columns(table, (*COLUMNS, *needed), "EPIC table")
    several_sets = table.drop_duplicates(["task", "states"])["task"].duplicated().any()
    # Tables from before there were human labels do not say whose theirs are.
    labels = table["labels"].fillna("oracle") if "labels" in table else "oracle"
    keys = ["task", "states", "scene", "labels"]
    return [
        (
            f"{task} · {scene}"
            + (f" · {states}" if several_sets else "")
            + (" · human labels" if whose == "human" else ""),
            group,
        )
        for (task, states, scene, whose), group in table.assign(labels=labels).groupby(
            keys, sort=False
        )
    ]


def _draw_sizes(axes: Axes, table: pd.DataFrame, measure: str) -> None:
    draw_uninformative(axes, measure)
    low, high = table["parameters"].min() / 1.35, table["parameters"].max() * 1.35
    alphas = sorted(ordered(table["alpha"]))
    # Alphas stand slightly apart, or their intervals would hide each other.
    sizes = np.log10(np.unique(table["parameters"]))
    step = min([0.02 * np.log10(high / low), *(0.7 / len(alphas) * np.diff(sizes))])
    shifts = (np.arange(len(alphas)) - (len(alphas) - 1) / 2) * step
    for alpha, shift in zip(alphas, shifts, strict=True):
        for source, series in table[table["alpha"] == alpha].groupby("source"):
            series = series.sort_values("parameters")
            control = source == "random"
            color = GREY if control else alpha_color(alpha)
            x = series["parameters"].to_numpy() * 10**shift
            axes.vlines(x, series[f"{measure}_low"], series[f"{measure}_high"], color, linewidth=1)
            axes.plot(
                x,
                series[measure],
                color=color,
                marker=MARKERS[str(source)],
                markersize=4.5,
                markerfacecolor="white" if control else color,
                linestyle="" if control else "-",
                linewidth=1.3,
            )
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_locator(LogLocator(subs=_tick_multiples(high / low)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n / 1e6:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    grid_lines(axes)


def _tick_multiples(ratio: float) -> tuple[float, ...]:
    """Ticks per decade, so that a narrow axis has several and a wide one is not crowded."""
    return (1, 2, 3, 5, 7) if ratio < 12 else (1, 2, 5) if ratio < 60 else (1,)


def _draw_alphas(axes: Axes, table: pd.DataFrame, measure: str, styles: dict[str, Line2D]) -> None:
    draw_uninformative(axes, measure)
    for model, series in table.groupby("model", sort=False):
        series = series.sort_values("alpha")
        style = styles[str(model)]
        line = Line2D(series["alpha"], series[measure])
        line.update_from(style)
        axes.add_line(line)
        low, high = series[f"{measure}_low"], series[f"{measure}_high"]
        axes.fill_between(
            series["alpha"], low, high, color=style.get_color(), alpha=0.15, linewidth=0
        )
    axes.set_xticks(sorted(ordered(table["alpha"])))
    axes.autoscale_view()
    grid_lines(axes)


def model_styles(table: pd.DataFrame) -> dict[str, Line2D]:
    """How the line of each model looks, by ascending size, controls last."""
    models = table.drop_duplicates("model").sort_values(["parameters", "model"])
    trained = models[models["source"] != "random"]
    controls = models[models["source"] == "random"]
    styles = {
        model: Line2D([], [], color=color, marker=MARKERS[source], markersize=4.5, label=model)
        for model, source, color in zip(
            trained["model"], trained["source"], size_colors(len(trained)), strict=True
        )
    }
    for model in controls["model"]:
        styles[model] = Line2D(
            [],
            [],
            color=GREY,
            linestyle=(0, (3, 2)),
            linewidth=1,
            marker=MARKERS["random"],
            markersize=4.5,
            markerfacecolor="white",
            label=model,
        )
    return styles


def _size_legend(table: pd.DataFrame) -> list[Line2D]:
    lines = [
        Line2D([], [], color=alpha_color(alpha), label=alpha_label(alpha))
        for alpha in sorted(ordered(table["alpha"]))
    ]
    for source in (s for s in MARKERS if s in set(table["source"])):
        control = source == "random"
        lines.append(
            Line2D(
                [],
                [],
                color=GREY if control else INK,
                linestyle="",
                marker=MARKERS[source],
                markersize=4.5,
                markerfacecolor="white" if control else INK,
                label=SOURCES[source],
            )
        )
    return [*lines, uninformative_line()]


def draw_uninformative(axes: Axes, measure: str, vertical: bool = False) -> None:
    line = uninformative_line()
    (axes.axvline if vertical else axes.axhline)(
        UNINFORMATIVE[measure],
        color=line.get_color(),
        linestyle=line.get_linestyle(),
        linewidth=line.get_linewidth(),
    )


def uninformative_line() -> Line2D:
    return Line2D([], [], color=INK, linestyle=":", linewidth=1, label="uninformative reward")


def _name_models(axes: Axes, names: list[str], parameters: NDArray[np.float64]) -> None:
    """Writes the models' names over the panel, each joined to its place on the log axis."""
    low, high = np.log(axes.get_xlim())
    places = (np.log(parameters) - low) / (high - low)
    for name, place, shown in zip(names, places, spread_out(places, 0.07), strict=True):
        axes.plot(
            [place, shown], [1.0, 1.03], color=GREY, linewidth=0.7, transform=axes.transAxes,
            clip_on=False, scalex=False, scaley=False,
        )  # fmt: skip
        axes.text(
            shown, 1.035, name, transform=axes.transAxes, fontsize=7, rotation=55,
            rotation_mode="anchor", ha="left", va="bottom",
        )  # fmt: skip


def _name_height(names: pd.Series[str]) -> float:
    """Points that the slanted names take above a panel."""
    return 16 + 3.5 * float(names.str.len().max()) if len(names) else 6.0


def spread_out(places: ArrayLike, gap: float) -> NDArray[np.float64]:
    """Moves places on a line apart until neighbors are ``gap`` away, as little as it takes.

    Each cluster of close neighbors is centered on the mean of its places.
    """
    values = np.asarray(places, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    clusters: list[list[int]] = []
    for index in order:
        clusters.append([int(index)])
        while len(clusters) > 1 and _overlap(values, clusters[-2], clusters[-1], gap):
            last = clusters.pop()
            clusters[-1] = clusters[-1] + last
    spread = np.empty_like(values)
    for cluster in clusters:
        spread[cluster] = _row(values, cluster, gap)
    return spread


def _overlap(values: NDArray[np.float64], left: list[int], right: list[int], gap: float) -> bool:
    return bool(_row(values, right, gap)[0] - _row(values, left, gap)[-1] < gap - 1e-12)


def _row(values: NDArray[np.float64], cluster: list[int], gap: float) -> NDArray[np.float64]:
    """Evenly spaced places around the mean of a cluster."""
    offsets = (np.arange(len(cluster)) - (len(cluster) - 1) / 2) * gap
    return np.asarray(values[cluster].mean() + offsets)
