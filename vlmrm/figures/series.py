"""Labels, colors and lines of the rewards that agents were trained on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vlmrm.config import RANDOM_POLICY, TrainingRun
from vlmrm.figures.style import GREY, INK, Color, alpha_color, alpha_label, category_colors

REFERENCES = {
    "oracle": ("oracle reward", INK),
    "oracle-score": ("oracle score", INK),
    "ground-truth": ("ground-truth reward", GREY),
    RANDOM_POLICY: ("random policy", GREY),
}
"""Label and color of the references that reward models are compared with."""

LINES = ("-", (0, (5, 1.2, 1, 1.2)), (0, (1, 1)))
"""Lines of the first, second and third model; dashes are for references."""

Series = tuple[str, float]
"""Reward and alpha, which runs with different seeds share."""


@dataclass(frozen=True)
class Style:
    """Label, color and line of a series."""

    label: str
    color: Color
    line: str | tuple[float, tuple[float, ...]] = "-"


def series_styles(runs: Iterable[TrainingRun]) -> dict[Series, Style]:
    """Returns the styles of all series: models in their order, by alpha, then references.

    Color stands for alpha if there are several alphas, and for the model otherwise.
    """
    found = dict.fromkeys((run.reward_source, run.alpha) for run in runs)
    models = list(dict.fromkeys(model for model, _ in found if model not in REFERENCES))
    trained = [
        (model, alpha) for model in models for alpha in sorted(a for m, a in found if m == model)
    ]
    several_alphas = len({alpha for _, alpha in trained}) > 1
    colors = dict(zip(models, category_colors(len(models)), strict=True))
    styles: dict[Series, Style] = {}
    for model, alpha in trained:
        color = alpha_color(alpha) if several_alphas else colors[model]
        line = LINES[models.index(model) % len(LINES)] if several_alphas else "-"
        styles[model, alpha] = Style(f"{model}, {alpha_label(alpha)}", color, line)
    for reference, (label, color) in REFERENCES.items():
        for series in found:
            if series[0] == reference:
                styles[series] = Style(label, color, (0, (3, 2)))
    return styles
