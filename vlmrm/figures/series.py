"""How the rewards that agents were trained on are named and drawn, in every figure alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vlmrm.config import RANDOM_POLICY, TrainingRun
from vlmrm.figures.style import GREY, INK, Colour, alpha_colour, alpha_label, category_colours

REFERENCES = {
    "oracle": ("oracle reward", INK),
    "ground-truth": ("ground-truth reward", GREY),
    RANDOM_POLICY: ("random policy", GREY),
}
"""Name and colour of what the reward models are compared with."""

LINES = ("-", (0, (5, 1.2, 1, 1.2)), (0, (1, 1)))
"""Of the first, second, third model; dashes belong to the references."""

Series = tuple[str, float]
"""Runs that differ in their seed alone: reward and alpha."""


@dataclass(frozen=True)
class Style:
    """Label, colour and line of a series."""

    label: str
    colour: Colour
    line: str | tuple[float, tuple[float, ...]] = "-"


def series_styles(runs: Iterable[TrainingRun]) -> dict[Series, Style]:
    """Styles of all series of some runs: models in their order, by alpha, then references.

    Colour shows alpha where alphas are compared, and the model otherwise.
    """
    found = dict.fromkeys((run.reward, run.alpha) for run in runs)
    models = list(dict.fromkeys(model for model, _ in found if model not in REFERENCES))
    trained = [
        (model, alpha) for model in models for alpha in sorted(a for m, a in found if m == model)
    ]
    several_alphas = len({alpha for _, alpha in trained}) > 1
    colours = dict(zip(models, category_colours(len(models)), strict=True))
    styles: dict[Series, Style] = {}
    for model, alpha in trained:
        colour = alpha_colour(alpha) if several_alphas else colours[model]
        line = LINES[models.index(model) % len(LINES)] if several_alphas else "-"
        styles[model, alpha] = Style(f"{model}, {alpha_label(alpha)}", colour, line)
    for reference, (label, colour) in REFERENCES.items():
        for series in found:
            if series[0] == reference:
                styles[series] = Style(label, colour, (0, (3, 2)))
    return styles
