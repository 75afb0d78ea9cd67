"""Labels, colors and lines of the rewards that agents were trained on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from vlmrm.config import RANDOM_POLICY, TrainingRun
from vlmrm.config.scoring import scoring_order
from vlmrm.figures.style import (
    GREY,
    INK,
    Color,
    LineStyle,
    Styles,
    category_colors,
    scoring_color,
    scoring_label,
)

REFERENCE_STYLES = {
    "oracle": ("oracle reward", INK),
    "oracle-score": ("oracle score", INK),
    "ground-truth": ("ground-truth reward", GREY),
    RANDOM_POLICY: ("random policy", GREY),
}
"""Label and color of the references that reward models are compared with."""

RANDOM_LINE: LineStyle = {
    "color": GREY,
    "linestyle": ":",
    "linewidth": 1.2,
    "label": REFERENCE_STYLES[RANDOM_POLICY][0],
}
"""A straight line of the random policy, which does not learn."""

LINES = ("-", (0, (5, 1.2, 1, 1.2)), (0, (1, 1)), (0, (7, 1.5)))
"""Lines of the first to the fourth model; short dashes are for references."""

Series = tuple[str, str]
"""Reward source and scoring, which runs with different seeds share."""


@dataclass(frozen=True)
class Style:
    """Label, color and line of a series."""

    label: str
    color: Color
    line: str | tuple[float, tuple[float, ...]] = "-"

    @property
    def keywords(self) -> LineStyle:
        """Of a line of a learning curve."""
        return {"color": self.color, "linestyle": self.line, "linewidth": 1.3}


def with_bands(styles: Styles, table: pd.DataFrame) -> dict[str, LineStyle]:
    """Line styles by label, with a band from the lowest to the highest of several seeds.

    Args:
        styles: Without bands.
        table: Columns series (the label) and seed.
    """
    seeds = table.groupby("series")["seed"].nunique()
    return {
        label: style | {"errorbar": ("pi", 100) if seeds[label] > 1 else None}
        for label, style in styles.items()
    }


def _line(number: int) -> str | tuple[float, tuple[float, ...]]:
    """The line of a model: one of `LINES`, then dashes with one more dot for each next model."""
    dots = number - len(LINES) + 2
    return LINES[number] if dots < 2 else (0, (5, 1.2, *(1, 1.2) * dots))


def series_styles(runs: Iterable[TrainingRun]) -> dict[Series, Style]:
    """Returns the styles of all series: models in their order, by scoring, then references.

    Color stands for the scoring if there are several, and for the model otherwise. So does the line
    for the model, by which models differ without color, too.
    """
    found = dict.fromkeys((run.reward_source, run.scoring) for run in runs)
    models = list(dict.fromkeys(model for model, _ in found if model not in REFERENCE_STYLES))
    trained = [
        (model, scoring)
        for model in models
        for scoring in sorted((s for m, s in found if m == model), key=scoring_order)
    ]
    several = len({scoring for _, scoring in trained}) > 1
    colors = dict(zip(models, category_colors(len(models)), strict=True))
    styles: dict[Series, Style] = {}
    for model, scoring in trained:
        color = scoring_color(scoring) if several else colors[model]
        line = _line(models.index(model))
        styles[model, scoring] = Style(f"{model}, {scoring_label(scoring)}", color, line)
    for reference, (label, color) in REFERENCE_STYLES.items():
        for series in found:
            if series[0] == reference:
                styles[series] = Style(label, color, (0, (3, 2)))
    return styles
