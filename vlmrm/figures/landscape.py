"""Reward landscapes: reward against the one coordinate that the goal depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from vlmrm.artifacts import States
from vlmrm.errors import UserError
from vlmrm.figures.style import INK, alpha_colour, alpha_label, ordered, panels, theme
from vlmrm.figures.tables import require_columns, task_rewards

COLUMNS = ("scene", "model", "alpha", "coordinate", "reward", "rescaled")
"""Columns of the landscape table."""


@dataclass(frozen=True)
class Coordinate:
    """What the x-axis of a landscape shows."""

    column: int
    """Its place in the state vector."""
    label: str
    low: float
    high: float
    goal: float


COORDINATES = {
    "cartpole": Coordinate(2, "pole angle (rad)", -0.25, 0.25, goal=0.0),
    "mountain-car": Coordinate(0, "car position", -1.2, 0.6, goal=0.45),
}
"""By environment. The flag of the mountain car stands at 0.45."""


def landscape_table(states: States, rewards: pd.DataFrame, task: str) -> pd.DataFrame:
    """Rewards along the coordinate of the landscape.

    The pole's landscape is that of the cart position closest to the middle.

    Args:
        states: A grid of states.
        rewards: Rewards of these states, with columns scene, model, state, task, alpha, reward.
        task: The task whose rewards are meant.

    Returns:
        One row per point, sorted along each curve: scene, model, alpha, coordinate (rad, or
        position on the track), reward, and rescaled: the reward mapped to 0-1 over each curve (0
        for a flat curve).

    Raises:
        UserError: The environment has no landscape, the states form no line, or the rewards lack
            a column or the task.
    """
    values, on_the_line = _line(states)
    table = task_rewards(states, rewards, task)
    table = table[on_the_line[table["state"].to_numpy()]]
    curve = ["scene", "model", "alpha"]
    table = table.assign(coordinate=values[table["state"].to_numpy()])
    table = table.drop_duplicates([*curve, "coordinate"])
    # Scenes and models stay in the order given.
    table["panel"] = table.groupby(["scene", "model"], sort=False).ngroup()
    table = table.sort_values(["panel", "alpha", "coordinate"], ignore_index=True)
    if table["coordinate"].nunique() < 3:
        raise UserError("states: no line of states to draw a landscape on; give a grid of states")
    by_curve = table.groupby(curve)["reward"]
    low, high = by_curve.transform("min"), by_curve.transform("max")
    span = (high - low).where(high > low, 1.0)
    return table.assign(rescaled=(table["reward"] - low) / span)[list(COLUMNS)]


@theme()
def draw_landscape(table: pd.DataFrame, environment: str) -> Figure:
    """Curves of all alphas, a row of panels per model and a column per scene.

    Args:
        table: As `landscape_table` makes it.
        environment: Decides the axis and where the goal is.
    """
    require_columns(table, COLUMNS, "landscape table")
    coordinate = _coordinate(environment)
    models, scenes = ordered(table["model"]), ordered(table["scene"])
    figure, axes = panels(len(models), len(scenes), sharex=True, sharey=True)
    for row, model in enumerate(models):
        for column, scene in enumerate(scenes):
            chosen = table[(table["model"] == model) & (table["scene"] == scene)]
            _draw_curves(axes[row, column], chosen, coordinate)
            axes[row, column].set_title(f"{model} · {scene}")
    for panel in axes[-1]:
        panel.set_xlabel(coordinate.label)
    figure.supylabel("reward\n(each curve rescaled to 0-1)", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper")
    return figure


def _draw_curves(axes: Axes, table: pd.DataFrame, coordinate: Coordinate) -> None:
    axes.axvline(coordinate.goal, color=INK, linestyle=(0, (4, 3)), linewidth=1, label="goal")
    for alpha, curve in table.groupby("alpha"):
        alpha = float(str(alpha))
        axes.plot(
            curve["coordinate"],
            curve["rescaled"],
            color=alpha_colour(alpha),
            label=alpha_label(alpha),
            linewidth=1.4,
        )
    axes.set_xlim(coordinate.low, coordinate.high)
    axes.set_yticks([0, 0.5, 1])
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _line(states: States) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The coordinate of each state, ``[N]``, and whether the landscape shows it, bool ``[N]``."""
    coordinate = _coordinate(states.environment)
    vectors = states.values
    values = vectors[:, coordinate.column]
    shown = (values >= coordinate.low - 1e-9) & (values <= coordinate.high + 1e-9)
    if states.environment == "cartpole":
        position = vectors[:, 0]
        shown &= np.isclose(position, position[np.argmin(np.abs(position))])
    return values, shown


def _coordinate(environment: str) -> Coordinate:
    if environment not in COORDINATES:
        known = ", ".join(COORDINATES)
        raise UserError(f"landscape: none for environment '{environment}'; known: {known}")
    return COORDINATES[environment]
