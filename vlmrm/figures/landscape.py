"""Reward landscapes: reward along the one coordinate that the goal depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from vlmrm.data.states import States
from vlmrm.envs.mountain_car import GOAL_POSITION, ROAD
from vlmrm.errors import UserError, suggest
from vlmrm.figures.style import GREY, INK, alpha_color, alpha_label, ordered, panels, theme
from vlmrm.figures.tables import require_columns, task_rewards

COLUMNS = ("task", "scene", "model", "alpha", "coordinate", "fulfilled", "reward", "rescaled")
"""Columns of the landscape table."""


@dataclass(frozen=True)
class Coordinate:
    """What the x-axis of a landscape shows."""

    label: str
    low: float
    high: float
    goal: float | None
    """Where the goal is; None where the oracle's verdicts show it."""


COORDINATES = {
    "cartpole": Coordinate("pole angle (rad)", -0.25, 0.25, goal=0.0),
    "mountain-car": Coordinate("car position", *ROAD, goal=GOAL_POSITION),
    "humanoid": Coordinate("way to the pose", 0.0, 1.0, goal=None),
}
"""By environment."""


def landscape_table(
    states: States, rewards: pd.DataFrame, tasks: Mapping[str, str | None]
) -> pd.DataFrame:
    """Rewards along the coordinate of the landscape.

    The pole's landscape is that of the cart position closest to the middle; the humanoid's goes
    along the path to the pose of each task.

    Args:
        states: A grid of states, or a set of paths.
        rewards: Rewards of these states, with columns scene, model, state, task, alpha, reward.
        tasks: The tasks whose rewards are meant, and the oracle of each.

    Returns:
        One row per point, sorted along each curve: task, scene, model, alpha, coordinate (rad,
        position on the track, or share of the way), fulfilled (the oracle's verdict; missing
        without one), reward, and rescaled: the reward mapped to 0-1 over each curve (0 for a flat
        curve).

    Raises:
        UserError: The states form no line, or the rewards lack a column or a task.
    """
    parts = [_task_table(states, rewards, task, oracle) for task, oracle in tasks.items()]
    table = pd.concat(parts, ignore_index=True)
    # Tasks, scenes and models stay in the order given.
    curve = ["task", "scene", "model", "alpha"]
    table["panel"] = table.groupby(curve[:3], sort=False).ngroup()
    table = table.sort_values(["panel", "alpha", "coordinate"], ignore_index=True)
    by_curve = table.groupby(curve)["reward"]
    low, high = by_curve.transform("min"), by_curve.transform("max")
    span = (high - low).where(high > low, 1.0)
    return table.assign(rescaled=(table["reward"] - low) / span)[list(COLUMNS)]


def _task_table(
    states: States, rewards: pd.DataFrame, task: str, oracle: str | None
) -> pd.DataFrame:
    values, on_the_line = _line(states, oracle)
    table = task_rewards(states, rewards, task)
    table = table[on_the_line[table["state"].to_numpy()]]
    rows = table["state"].to_numpy()
    verdicts = states.labels.get(oracle or "")
    table = table.assign(
        coordinate=values[rows],
        fulfilled=pd.NA if verdicts is None else verdicts[rows],
    )
    table = table.drop_duplicates(["scene", "model", "alpha", "coordinate"])
    if table["coordinate"].nunique() < 3:
        raise UserError("states: no line of states to draw a landscape on; give a grid of states")
    return table


def _line(states: States, oracle: str | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The coordinate of each state, ``[N]``, and whether the landscape shows it, bool ``[N]``."""
    if states.environment == "humanoid":
        if "path" not in states.columns:
            raise UserError("states: no paths to draw a humanoid's landscape on; sample 'paths'")
        paths = states.columns["path"].astype(str)
        if oracle not in paths:
            raise UserError(f"states: no path to '{oracle}'{suggest(str(oracle), set(paths))}")
        return states.columns["progress"], paths == oracle
    coordinate = COORDINATES[states.environment]
    vectors = states.values
    if states.environment == "mountain-car":
        return vectors[:, 0], _within(vectors[:, 0], coordinate)
    position, angle = vectors[:, 0], vectors[:, 2]
    in_the_middle = np.isclose(position, position[np.argmin(np.abs(position))])
    return angle, _within(angle, coordinate) & in_the_middle


def _within(values: NDArray[np.float64], coordinate: Coordinate) -> NDArray[np.bool_]:
    return (values >= coordinate.low - 1e-9) & (values <= coordinate.high + 1e-9)


@theme()
def draw_landscape(table: pd.DataFrame, environment: str) -> Figure:
    """Curves of all alphas, a row of panels per model and a column per task and scene.

    Args:
        table: As `landscape_table` makes it.
        environment: Decides the axis and where the goal is.
    """
    require_columns(table, COLUMNS, "landscape table")
    coordinate = COORDINATES[environment]
    models, tasks, scenes = (ordered(table[name]) for name in ("model", "task", "scene"))
    columns = [(task, scene) for task in tasks for scene in scenes]
    width = 3.0 if len(columns) < 4 else 1.6
    figure, axes = panels(len(models), len(columns), width, sharex=True, sharey=True)
    for panels_of_model, model in zip(axes, models, strict=True):
        for panel, (task, scene) in zip(panels_of_model, columns, strict=True):
            keys = (table["model"] == model) & (table["task"] == task) & (table["scene"] == scene)
            _draw_goal(panel, table[keys], coordinate)
            _draw_curves(panel, table[keys], coordinate)
            panel.set_title(" · ".join(_telling(model, task, scene, table)))
    for panel in axes[-1]:
        panel.set_xlabel(coordinate.label)
    if len(tasks) > 1:
        for panels_of_model, model in zip(axes, models, strict=True):
            panels_of_model[0].set_ylabel(model)
    figure.supylabel("reward\n(each curve rescaled to 0-1)", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper")
    return figure


def _telling(model: str, task: str, scene: str, table: pd.DataFrame) -> list[str]:
    """What tells this panel from the others: many tasks leave no room for more."""
    if len(ordered(table["task"])) == 1:
        return [model, scene]
    return [task, scene] if len(ordered(table["scene"])) > 1 else [task]


def _draw_goal(axes: Axes, table: pd.DataFrame, coordinate: Coordinate) -> None:
    if coordinate.goal is not None:
        axes.axvline(coordinate.goal, color=INK, linestyle=(0, (4, 3)), linewidth=1, label="goal")
        return
    points = table.drop_duplicates("coordinate")
    axes.fill_between(
        points["coordinate"],
        0,
        1,
        where=points["fulfilled"].astype(bool).to_numpy(),
        transform=axes.get_xaxis_transform(),
        color=GREY,
        alpha=0.25,
        linewidth=0,
        label="fulfilled",
    )


def _draw_curves(axes: Axes, table: pd.DataFrame, coordinate: Coordinate) -> None:
    for alpha, curve in table.groupby("alpha"):
        alpha = float(str(alpha))
        axes.plot(
            curve["coordinate"],
            curve["rescaled"],
            color=alpha_color(alpha),
            label=alpha_label(alpha),
            linewidth=1.4,
        )
    axes.set_xlim(coordinate.low, coordinate.high)
    axes.set_yticks([0, 0.5, 1])
    axes.xaxis.set_major_locator(MaxNLocator(5 if coordinate.goal is not None else 2))
