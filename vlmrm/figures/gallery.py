"""Pictures of the states that a reward ranks wrongly, and of those that a search ends in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

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
from vlmrm.optimization.search import best_first
from vlmrm.rendering.crop import close_ups
from vlmrm.tasks.criteria import failures

COUNT = 4
"""Wrong states of a row, and as many true ones."""


class Cell(NamedTuple):
    """A picture of a sheet, with what the judge says about it."""

    frame: NDArray[np.uint8]
    text: str
    accepted: bool


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
        order = best_first(reward)
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
    values, scenes = states.values[table["state"]], table["scene"].tolist()
    frames = close_ups(states.environment, values, scenes, settings.rendering)
    several = len(ordered(table["scene"])) > 1
    rows: dict[str, list[Cell]] = {}
    for row, frame in zip(table.to_dict("records"), frames, strict=True):
        name = f"{row['model']}\n{row['scene']}" if several else row["model"]
        first = row["fails"].split("; ")[0]
        text = f"rank {row['rank']} ({row['reward_std']:+.1f} sd)\n{first}"
        rows.setdefault(name, []).append(Cell(frame, text, row["kind"] == "true"))
    count = table.groupby(["scene", "model", "kind"]).size().max()
    figure = _sheet({name: _columns(cells, count) for name, cells in rows.items()})
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
    winners: dict[str, dict[tuple[str, int], Cell]] = {}
    columns = list(dict.fromkeys((run.task, run.seed) for run in settings.runs))
    best = [states.values[best_first(states.columns["reward"])[0]] for states in found]
    scenes = [run.scene for run in settings.runs]
    frames = close_ups("humanoid", np.stack(best), scenes, settings.rendering)
    for run, state, frame in zip(settings.runs, best, frames, strict=True):
        fails = failures(settings.oracles[run.task], state[None])[0]
        cell = Cell(frame, fails[0] if fails else "fulfilled", not fails)
        winners.setdefault(_reward_name(run, settings), {})[run.task, run.seed] = cell
    figure = _sheet(
        {name: [cells.get(column) for column in columns] for name, cells in winners.items()}
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


def _columns(cells: Sequence[Cell], count: int) -> list[Cell | None]:
    """A row of pictures: wrong states, then true ones; each kind fills ``count`` places."""
    line: list[Cell | None] = []
    for accepted in (False, True):
        chosen = [cell for cell in cells if cell.accepted == accepted]
        line += [*chosen, *[None] * (count - len(chosen))]
    return line


def _sheet(rows: Mapping[str, Sequence[Cell | None]]) -> Figure:
    """A figure of named rows of pictures, each with its text in the color of its verdict."""
    shown = [cell for cells in rows.values() for cell in cells if cell]
    blank = np.full_like(shown[0].frame, 255)
    width = len(next(iter(rows.values()))) * PICTURE_WIDTH + LABEL_WIDTH
    figure, axes = pictures(
        [[cell.frame if cell else blank for cell in cells] for cells in rows.values()], width
    )
    height = blank.shape[0] / blank.shape[1] * PICTURE_WIDTH
    title = 0.06 + 0.09 * max(cell.text.count("\n") + 1 for cell in shown)
    figure.set_size_inches(width, len(rows) * (height + title) + 0.4)
    for panels, (name, cells) in zip(axes, rows.items(), strict=True):
        panels[0].set_ylabel(name)
        for panel, cell in zip(panels, cells, strict=True):
            panel.set_frame_on(cell is not None)
            if cell:
                mark, color = verdict(cell.accepted)
                text = f"{mark} {cell.text}"
                panel.set_title(text, fontsize=6, fontweight="normal", color=color, pad=2)
    return figure
