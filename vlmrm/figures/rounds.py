"""How often the models of adversarial rounds are fooled by the agents of each."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from vlmrm.errors import UserError
from vlmrm.figures.style import (
    MARKERS,
    LineStyle,
    draw_intervals,
    finish,
    grid_lines,
    lines,
    ordered,
    panels,
    size_colors,
    theme,
    wrapped,
)
from vlmrm.figures.tables import long_form, with_scoring


def by_round(table: pd.DataFrame, models: Sequence[str], scoring: str) -> pd.DataFrame:
    """The rows of EPIC tables of one scoring, with the round of the agents and that of the model.

    Args:
        table: EPIC tables of the state sets ``MODEL-TASK`` of all rounds. Other states and models
            belong to no round, and are left out.
        models: The model of each round.
        scoring: Scoring of the agents' rewards.

    Returns:
        The table with two more columns in front: ``agents_round``, the round whose agents met the
        states, and ``model_round``.

    Raises:
        UserError: A column is missing, or every row of this scoring or of these rounds.
    """
    table = with_scoring(table, scoring).reset_index(drop=True)
    rounds = {model: number for number, model in enumerate(models)}
    agents = [
        rounds.get(states.removesuffix(f"-{task}"))
        for states, task in zip(table["states"], table["task"], strict=True)
    ]
    table.insert(0, "agents_round", agents)
    table.insert(1, "model_round", table["model"].map(rounds))
    numbers = ["agents_round", "model_round"]
    table = table.dropna(subset=numbers).reset_index(drop=True)
    if table.empty:
        raise UserError(
            f"EPIC table: no states of these rounds; give the tables of {models[0]}-TASK, the "
            "states that its agents met"
        )
    return table.astype(dict.fromkeys(numbers, int))


@theme()
def draw_rounds(table: pd.DataFrame, models: Sequence[str]) -> Figure:
    """Draws the share of false states above the median of true ones, a panel per task.

    Args:
        table: A table of `by_round`, with columns ``fooled``, ``fooled_low``, and ``fooled_high``.
        models: The model of each round.

    Raises:
        UserError: A column is missing.
    """
    colors = size_colors(len(models))
    styles: dict[str, LineStyle] = {
        model: {"color": color, "marker": MARKERS[number % len(MARKERS)], "markersize": 4.5}
        for number, (model, color) in enumerate(zip(models, colors, strict=True))
    }
    # Models stand slightly apart, or their intervals would hide each other.
    shift = 0.08 * (table["model_round"] - (len(models) - 1) / 2)
    points = long_form(table.assign(x=table["agents_round"] + shift), ["fooled"])
    tasks = ordered(table["task"])
    grid = panels(
        points.sort_values("x", kind="stable"), 2.2, 2.0, styles, hue="model",
        col="task", col_order=tasks, col_wrap=wrapped(len(tasks))[1],
    )  # fmt: skip
    grid.map_dataframe(draw_intervals)
    grid.set_axis_labels("round of the agents", "wrong states")
    grid.set_titles("{col_name}").set(ylim=(0, None))
    for axes in grid.axes.flat:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        grid_lines(axes)
    return finish(grid, lines(styles))
