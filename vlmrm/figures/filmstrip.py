"""Moments of trained agents, a row each, as in figure 1 of the VLM-RM paper."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vlmrm.config import TrainingRun
from vlmrm.config.settings import FilmstripSettings
from vlmrm.config.training import SERIES
from vlmrm.data.states import States
from vlmrm.data.tables import require_columns
from vlmrm.envs import frames_per_second
from vlmrm.errors import UserError
from vlmrm.figures.series import series_styles
from vlmrm.figures.style import INK, PICTURE_WIDTH, pictures, theme, verdict
from vlmrm.figures.success import success_interval
from vlmrm.figures.tables import RunTable
from vlmrm.rendering.crop import close_ups

MOMENTS = 6
"""Pictures of a trajectory, at equal distances of time."""
SIZE = 250
"""Side of the humanoid's pictures in pixels."""
LINE = 24
"""Characters in a line of a row's label."""
TEXT_WIDTH = 2.9
"""Width in inches of what is written on both sides of the pictures."""

Agent = tuple[RunTable, States]
"""A run with its evaluation, and the trajectories that were kept, the median first."""


@theme()
def draw_filmstrip(agents: Sequence[Agent], settings: FilmstripSettings) -> Figure:
    """Draws moments of one trajectory for each reward of each task, side by side.

    It is the median trajectory of the seed in the middle, by the share of timesteps that fulfill
    the task. Without an oracle, it is the first one of the first seed.

    Args:
        agents: The agents, with trajectories by `vlmrm.training.videos.kept_trajectories`.
        settings: Sentences, oracles, and how states are rendered.

    Raises:
        UserError: There is no agent, a column or labels are missing, or rendering cannot start.
    """
    if not agents:
        raise UserError("evaluations: none; train an agent first")
    groups: dict[tuple[str, ...], list[Agent]] = {}
    for agent in agents:
        run = agent[0][0]
        groups.setdefault(tuple(getattr(run, key) for key in SERIES), []).append(agent)
    shown = [_middle(group) for group in groups.values()]
    moments = [_moments(states) for _, states in shown]
    frames = _pictures(shown, moments, settings)
    figure, axes = pictures(frames, MOMENTS * PICTURE_WIDTH)
    figure.set_size_inches(MOMENTS * PICTURE_WIDTH + TEXT_WIDTH, figure.get_figheight())
    styles = series_styles(run for (run, _), _ in agents)
    for panels, group, agent, rows in zip(axes, groups.values(), shown, moments, strict=True):
        (run, _), states = agent
        label = styles[run.reward_source, run.scoring].label
        panels[0].set_ylabel(_name(run, label, settings), rotation=0, ha="right", va="center")
        panels[0].yaxis.label.set_fontsize(7.5)
        rate = frames_per_second(settings.environments[run.task])
        oracle = settings.oracles[run.task]
        for panel, row in zip(panels, rows, strict=True):
            text, color = f"{(states.columns['step'][row] + 1) / rate:.1f} s", INK
            if oracle:
                mark, color = verdict(bool(states.oracle_labels(run.task, oracle)[row]))
                text = f"{mark} {text}"
            panel.set_title(text, fontsize=7.5, color=color, pad=2)
        if oracle:
            success = _success([judged for judged, _ in group], run)
            place = {"transform": panels[-1].transAxes, "va": "center", "fontsize": 7.5}
            panels[-1].text(1.06, 0.5, success, **place)
    return figure


def _middle(group: Sequence[Agent]) -> Agent:
    """The seed in the middle, by the share of timesteps; the first one, if it is not known."""
    for (run, table), _ in group:
        require_columns(table, ("success", "success_fraction"), f"evaluation of {run.task}")
    shares = [float(table["success_fraction"].mean()) for (_, table), _ in group]
    if np.isnan(shares).any():
        return group[0]
    return group[np.argsort(np.negative(shares), kind="stable")[len(group) // 2]]


def _moments(states: States) -> NDArray[np.intp]:
    """Rows of the first trajectory at equal distances, from its first step to its last."""
    numbers = states.columns["trajectory"]
    rows = np.flatnonzero(numbers == numbers[0])
    return rows[np.linspace(0, len(rows) - 1, MOMENTS).round().astype(int)]


def _pictures(
    agents: Sequence[Agent], moments: Sequence[NDArray[np.intp]], settings: FilmstripSettings
) -> list[list[NDArray[np.uint8]]]:
    """The pictures of each row; all robots have one size."""
    pictures: list[list[NDArray[np.uint8]]] = [[] for _ in agents]
    for environment in dict.fromkeys(states.environment for _, states in agents):
        rows = [row for row, (_, states) in enumerate(agents) if states.environment == environment]
        values = np.concatenate([agents[row][1].values[moments[row]] for row in rows])
        scenes = [agents[row][0][0].scene for row in rows for _ in range(MOMENTS)]
        drawn = close_ups(environment, values, scenes, settings.rendering, SIZE)
        for start, row in enumerate(rows):
            pictures[row] = drawn[start * MOMENTS : (start + 1) * MOMENTS]
    return pictures


def _name(run: TrainingRun, reward: str, settings: FilmstripSettings) -> str:
    """The sentence, and below it the reward and, where there are several, the scene."""
    goals = " / ".join(settings.goals[run.task])
    sentence = f"\N{LEFT DOUBLE QUOTATION MARK}{goals}\N{RIGHT DOUBLE QUOTATION MARK}"
    several = len({other.scene for other in settings.runs if other.task == run.task}) > 1
    lines = [*textwrap.wrap(sentence, LINE), reward, *[run.scene] * several]
    return "\n".join(lines)


def _success(evaluations: Sequence[RunTable], shown: TrainingRun) -> str:
    """The success rate of all seeds with its interval, and the seed that is shown."""
    seeds = [table["success"].dropna().astype(bool) for _, table in evaluations]
    low, high = success_interval([seed.sum() for seed in seeds], [len(seed) for seed in seeds])
    lines = [f"{np.concatenate(seeds).mean():.0%} succeed", f"({low:.0%} to {high:.0%})"]
    if len(evaluations) > 1:
        lines += [f"{len(evaluations)} seeds,", f"seed {shown.seed} shown"]
    return "\n".join(lines)
