"""Pictures of the states that a reward ranks wrongly, and of those that a search ends in."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vlmrm.config.settings import GallerySettings, SearchFigureSettings
from vlmrm.config.training import TrainingRun
from vlmrm.data.states import States
from vlmrm.data.tables import by_state, task_rewards
from vlmrm.errors import UserError
from vlmrm.figures.style import (
    LABEL_WIDTH,
    PICTURE_WIDTH,
    ordered,
    pictures,
    scoring_label,
    theme,
    verdict,
)
from vlmrm.optimization.search import best_so_far
from vlmrm.rendering.crop import close_ups
from vlmrm.tasks.criteria import failures

COUNT = 4
"""Wrong states of a row, and as many true ones."""

Frames = NDArray[np.uint8]


def gallery_table(
    states: States, rewards: pd.DataFrame, settings: GallerySettings, count: int = COUNT
) -> pd.DataFrame:
    """The states that each reward ranks most wrongly: the best wrong ones and the worst true ones.

    Of each trajectory, at most one is listed.

    Args:
        states: Labeled states.
        rewards: Rewards of these states by all models in all scenes.
        settings: The task and its oracle.
        count: States of each kind.

    Returns:
        One row per scene, model, scoring, and state: task, scene, model, scoring, kind ("wrong" or
        "true"), rank (1 is the highest reward), state (its row), reward, reward_std (in standard
        deviations, from the mean of all states), and fails (the criteria that the state fails, the
        worst first).

    Raises:
        UserError: The states have no labels of the task, or rewards belong to other states.
    """
    labels = states.oracle_labels(settings.task, settings.oracle)
    trajectory = states.columns.get("trajectory", np.arange(len(states)))
    keys = ["scene", "model", "scoring"]
    rows = []
    scored = task_rewards(rewards, settings.task, len(states))
    for key, group in scored.groupby(keys, sort=False):
        name = ", ".join(map(str, key))
        reward = by_state(group, len(states), f"task '{settings.task}' by {name}")
        order = best_so_far(reward, len(reward))
        place = dict(zip(("task", *keys), (settings.task, *key), strict=True))
        spread = reward.std() or np.inf
        for kind, ranked in ("wrong", order[~labels[order]]), ("true", order[labels[order]][::-1]):
            _, firsts = np.unique(trajectory[ranked], return_index=True)
            chosen = ranked[np.sort(firsts)[:count]]
            lacking = failures(settings.oracle, states.values[chosen])
            for state, fails in zip(chosen, lacking, strict=True):
                row = {**place, "kind": kind, "rank": int(np.flatnonzero(order == state)[0]) + 1}
                row |= {"state": int(state), "reward": reward[state]}
                row |= {"reward_std": (reward[state] - reward.mean()) / spread}
                rows.append({**row, "fails": "; ".join(fails)})
    return pd.DataFrame(rows)


@theme()
def draw_gallery(table: pd.DataFrame, states: States, settings: GallerySettings) -> Figure:
    """Draws the wrong states, then the true ones, a row per model, by one scoring.

    Args:
        table: The result of `gallery_table`.
        states: As there.
        settings: The scoring, and how frames are rendered.

    Raises:
        UserError: Every state has the verdict that the reward gives it, or rendering cannot start.
    """
    table = table[table["scoring"] == settings.scoring]
    if table.empty:
        raise UserError(f"rewards: none by {settings.scoring}, or no states; score them first")
    rows: dict[str, list[pd.Series]] = {}
    several = len(ordered(table["scene"])) > 1
    for _, row in table.iterrows():
        name = f"{row['model']}\n{row['scene']}" if several else row["model"]
        rows.setdefault(name, []).append(row)
    values, scenes = states.values[table["state"]], table["scene"].tolist()
    shown = close_ups(states.environment, values, scenes, settings.rendering)
    frames = dict(zip(table.index, shown, strict=True))
    texts: dict[Hashable, str] = {}
    for index, row in table.iterrows():
        first = row["fails"].split("; ")[0]
        texts[index] = f"rank {row['rank']} ({row['reward_std']:+.1f} sd)\n{first}"
    count = table.groupby([*("scene", "model"), "kind"]).size().max()
    grid = [_columns(members, count) for members in rows.values()]
    figure = _sheet(
        list(rows),
        [[None if row is None else frames[row.name] for row in line] for line in grid],
        [["" if row is None else texts[row.name] for row in line] for line in grid],
        [[row is not None and row["kind"] == "true" for row in line] for line in grid],
    )
    scoring = scoring_label(settings.scoring)
    figure.suptitle(
        f"{settings.task}, {scoring}: the best wrong states, and the worst true ones", fontsize=9
    )
    return figure


@theme()
def draw_search_gallery(found: Sequence[States], settings: SearchFigureSettings) -> Figure:
    """Draws the pose with the highest reward of every search: a row per reward, a column per seed.

    Args:
        found: The result of each search.
        settings: The searches, and how frames are rendered.
    """
    winners: dict[str, dict[tuple[str, int], tuple[Frames, str, bool]]] = {}
    columns = list(dict.fromkeys((run.task, run.seed) for run in settings.runs))
    best = [states.values[best_so_far(states.columns["reward"], 1)[0]] for states in found]
    scenes = [run.scene for run in settings.runs]
    frames = close_ups("humanoid", np.stack(best), scenes, settings.rendering)
    for run, state, frame in zip(settings.runs, best, frames, strict=True):
        fails = failures(settings.oracles[run.task], state[None])[0]
        text = fails[0] if fails else "fulfilled"
        winners.setdefault(_reward_name(run, settings), {})[run.task, run.seed] = (
            frame,
            text,
            not fails,
        )
    lines = [[row.get(column) for column in columns] for row in winners.values()]
    figure = _sheet(
        list(winners),
        [[None if cell is None else cell[0] for cell in line] for line in lines],
        [["" if cell is None else cell[1] for cell in line] for line in lines],
        [[cell is not None and cell[2] for cell in line] for line in lines],
    )
    for axes, (task, seed) in zip(figure.axes, columns, strict=False):
        axes.annotate(
            f"{task}, {seed}", (0.5, 1.2), xycoords="axes fraction", ha="center", fontsize=7
        )
    return figure


def _reward_name(run: TrainingRun, settings: SearchFigureSettings) -> str:
    several = len({other.scoring for other in settings.runs}) > 1
    control = run.reward_source in settings.controls
    return run.reward_source + (f"\n{run.scoring}" if several and not control else "")


def _columns(members: Sequence[pd.Series], count: int) -> list[pd.Series | None]:
    """A row of pictures: wrong states, then true ones; each kind fills ``count`` places."""
    line: list[pd.Series | None] = []
    for kind in ("wrong", "true"):
        chosen = [row for row in members if row["kind"] == kind]
        line += [*chosen, *[None] * (count - len(chosen))]
    return line


def _sheet(
    names: Sequence[str],
    frames: Sequence[Sequence[Frames | None]],
    texts: Sequence[Sequence[str]],
    accepted: Sequence[Sequence[bool]],
) -> Figure:
    """A figure of named rows of pictures, each with a text in the color of its verdict."""
    first = next(frame for line in frames for frame in line if frame is not None)
    blank = np.full_like(first, 255)
    shown = [[blank if frame is None else frame for frame in line] for line in frames]
    width = len(frames[0]) * PICTURE_WIDTH + LABEL_WIDTH
    figure, axes = pictures(shown, width)
    height = first.shape[0] / first.shape[1] * PICTURE_WIDTH
    title = 0.06 + 0.09 * max(text.count("\n") + 1 for line in texts for text in line)
    figure.set_size_inches(width, len(names) * (height + title) + 0.4)
    for panels, name, line, words, verdicts in zip(
        axes, names, frames, texts, accepted, strict=True
    ):
        panels[0].set_ylabel(name)
        for panel, frame, text, fulfilled in zip(panels, line, words, verdicts, strict=True):
            panel.set_frame_on(frame is not None)
            mark, color = verdict(fulfilled) if text else ("", "none")
            panel.set_title(f"{mark} {text}", fontsize=6, fontweight="normal", color=color, pad=2)
    return figure
