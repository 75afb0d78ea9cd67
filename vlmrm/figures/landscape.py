"""Reward landscapes: reward along the one coordinate that the goal depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from vlmrm.config import default_scene
from vlmrm.config.scoring import scoring_order
from vlmrm.data.states import States
from vlmrm.data.tables import require_columns, task_rewards
from vlmrm.envs.mountain_car import GOAL_POSITION, ROAD
from vlmrm.errors import UserError, suggest
from vlmrm.figures.style import (
    GREY,
    INK,
    MAX_COLUMNS,
    finish,
    lines,
    ordered,
    panel_width,
    scoring_color,
    scoring_styles,
    theme,
)
from vlmrm.figures.tables import rescaled
from vlmrm.rewards.scoring import reward_table

COLUMNS = ("task", "scene", "model", "scoring", "coordinate", "fulfilled", "reward", "rescaled")
"""Columns of the landscape table."""


@dataclass(frozen=True)
class Coordinate:
    """The x-axis of a landscape."""

    label: str
    low: float
    high: float
    goal: float | None
    """Position of the goal; None if the oracle's verdicts show it."""


COORDINATES = {
    "cartpole": Coordinate("pole angle (rad)", -0.25, 0.25, goal=0.0),
    "mountain-car": Coordinate("car position", *ROAD, goal=GOAL_POSITION),
    "humanoid": Coordinate("progress to the pose", 0.0, 1.0, goal=None),
}
"""Coordinate of each environment."""


def landscape_table(
    states: States, rewards: pd.DataFrame, tasks: Mapping[str, str | None]
) -> pd.DataFrame:
    """Returns the rewards along the coordinate of the landscape.

    CartPole's landscape uses the cart position closest to the middle; the humanoid's follows the
    path to the pose of each task.

    Args:
        states: A grid of states, or a set of paths.
        rewards: Rewards of these states, with columns scene, model, state, task, scoring, reward.
        tasks: The oracle of each task.

    Returns:
        One row per point, sorted along each curve: task, scene, model, scoring, coordinate (rad,
        position on the track, or progress along the path), fulfilled (the oracle's verdict;
        missing without one), reward, and rescaled: the reward mapped to 0-1 over each curve (0
        for a flat curve).

    Raises:
        UserError: The states do not form a line, or the rewards lack a column or a task.
    """
    parts = [_task_table(states, rewards, task, oracle) for task, oracle in tasks.items()]
    table = pd.concat(parts, ignore_index=True)
    # Tasks, scenes and models keep their order.
    curve = ["task", "scene", "model", "scoring"]
    table["panel"] = table.groupby(curve[:3], sort=False).ngroup()
    table["order"] = table["scoring"].map(scoring_order)
    table = table.sort_values(["panel", "order", "coordinate"], ignore_index=True)
    return table.assign(rescaled=rescaled(table, "reward", curve))[list(COLUMNS)]


def _task_table(
    states: States, rewards: pd.DataFrame, task: str, oracle: str | None
) -> pd.DataFrame:
    values, on_the_line = _line(states, oracle)
    table = task_rewards(rewards, task, len(states))
    table = table[on_the_line[table["state"].to_numpy()]]
    rows = table["state"].to_numpy()
    verdicts = states.labels.get(oracle or "")
    table = table.assign(
        coordinate=values[rows],
        fulfilled=pd.NA if verdicts is None else verdicts[rows],
    )
    table = table.drop_duplicates(["scene", "model", "scoring", "coordinate"])
    if table["coordinate"].nunique() < 3:
        raise UserError("states: they do not form a line for a landscape; give a grid of states")
    return table


def _line(states: States, oracle: str | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The coordinate of each state, ``[N]``, and whether the landscape has it, bool ``[N]``."""
    if states.environment == "humanoid":
        if "path" not in states.columns:
            raise UserError("states: a humanoid's landscape needs paths; use the sampler 'paths'")
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


def draw_rewards(
    states: States,
    rewards: Mapping[str, NDArray[np.floating[Any]]],
    oracle: str,
    model: str,
    scene: str | None = None,
) -> Figure:
    """Draws the landscape of one model and one sentence, without files.

    Args:
        states: As for `landscape_table`.
        rewards: Rewards ``[N]`` of these states by scoring, as `vlmrm.VLMReward.by_scoring` returns
            them.
        oracle: The oracle of the task. The humanoid's path leads to its pose.
        model: Name of the model, for the title.
        scene: Scene of the frames, for the title; by default, the first one of the environment.

    Raises:
        UserError: As in `landscape_table`.
    """
    name = scene or default_scene(states.environment)
    table = reward_table(oracle, rewards).assign(model=model, scene=name)
    return draw_landscape(landscape_table(states, table, {oracle: oracle}), states.environment)


@theme()
def draw_landscape(table: pd.DataFrame, environment: str) -> Figure:
    """Draws the curves of all scorings, a row of panels per model, a column per task and scene.

    Where these are many, they have the rows, and the models the columns.

    Args:
        table: As `landscape_table` makes it.
        environment: Determines the axis and the goal.
    """
    require_columns(table, COLUMNS, "landscape table")
    coordinate = COORDINATES[environment]
    several_tasks, several_scenes = (len(ordered(table[name])) > 1 for name in ("task", "scene"))
    # Many tasks leave no room for the model in the title.
    columns = table["task"] if several_tasks else table["scene"]
    if several_tasks and several_scenes:
        columns = table["task"] + " · " + table["scene"]
    table = table.assign(column=columns)
    rows, across, height = "model", "column", 2.3
    if columns.nunique() > MAX_COLUMNS:
        rows, across, height = "column", "model", 1.2
    width = panel_width(3.0, table[across].nunique())
    grid = sns.relplot(
        table, x="coordinate", y="rescaled", row=rows, col=across, hue="scoring", kind="line",
        palette={name: scoring_color(name) for name in ordered(table["scoring"])}, estimator=None,
        linewidth=1.4, legend=False, height=height, aspect=width / height,
    )  # fmt: skip
    grid.set_axis_labels(coordinate.label, "").set(
        xlim=(coordinate.low, coordinate.high), yticks=[0, 0.5, 1]
    )
    grid.set_titles("{col_name}" if several_tasks else "{row_name} · {col_name}")
    if several_tasks:
        for name, axes in zip(grid.row_names, grid.axes[:, 0], strict=True):
            axes.set_ylabel(name)
    for key, axes in grid.axes_dict.items():
        model, column = key if rows == "model" else key[::-1]
        panel = table[(table["model"] == model) & (table["column"] == column)]
        goal = _draw_goal(axes, panel, coordinate)
        axes.xaxis.set_major_locator(MaxNLocator(5 if coordinate.goal is not None else 2))
        if across == "model" and column != grid.row_names[0]:
            axes.set_title("")
    grid.figure.supylabel(
        "reward\n(each curve rescaled to 0-1)", fontsize=9, multialignment="center"
    )
    return finish(grid, [goal, *lines(scoring_styles(table["scoring"]))])


def _draw_goal(axes: Axes, table: pd.DataFrame, coordinate: Coordinate) -> Artist:
    if coordinate.goal is not None:
        return axes.axvline(
            coordinate.goal, color=INK, linestyle=(0, (4, 3)), linewidth=1, label="goal", zorder=1.5
        )
    points = table.drop_duplicates("coordinate")
    at = points["coordinate"].to_numpy(float)
    # Each point stands for what is closer to it than to others: a single one is visible, too.
    edges = np.concatenate([at[:1], (at[:-1] + at[1:]) / 2, at[-1:]])
    return axes.fill_between(
        np.repeat(edges, 2)[1:-1],
        0,
        1,
        where=np.repeat(points["fulfilled"].astype(bool).to_numpy(), 2),
        transform=axes.get_xaxis_transform(),
        color=GREY,
        alpha=0.25,
        linewidth=0,
        label="fulfilled",
    )
