"""Videos of agents: which trajectories of an evaluation they show, and the rewards below them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config import Rendering, TrainingRun
from vlmrm.config.settings import RecordingSettings, RunRewardSettings, TrainingSettings
from vlmrm.data.frames import FRAMES_PER_CHUNK, FrameReader
from vlmrm.data.states import States
from vlmrm.envs import frames_per_second
from vlmrm.rendering.band import Legend
from vlmrm.rendering.video import Frame, Take, rendered, write_video
from vlmrm.rendering.views import make_views
from vlmrm.rewards.steps import RewardSource, StepBatch
from vlmrm.tasks.oracles import Oracle, labeled

if TYPE_CHECKING:
    from vlmrm.training.evaluation import Episode  # loads PyTorch, which videos do without

REFERENCE_WORDS = {
    "oracle": "by the oracle",
    "oracle-score": "by the oracle's score",
    "ground-truth": "of the environment",
}
"""Whose the reward of a reference is."""

Rows = NDArray[np.intp]


def typical_trajectories(table: pd.DataFrame, count: int) -> Rows:
    """Trajectories that stand for an evaluation: the median, and others.

    Trajectories are ranked by the share of timesteps that fulfill the task; the others are evenly
    spread over the ranking, the best first. Without an oracle, all are the first ones.

    Args:
        table: The table of `vlmrm.training.evaluation.evaluate`.
        count: Number of trajectories, at most all.

    Returns:
        Their rows in the table. Of two in the middle, the worse one counts as the median.
    """
    share, count = table["success_fraction"].to_numpy(float), min(count, len(table))
    if np.isnan(share).any():
        return np.arange(count)
    order = np.argsort(-share, kind="stable")
    middle = len(order) // 2
    rest, others = np.delete(order, middle), count - 1
    places = (2 * np.arange(others) + 1) * len(rest) // max(2 * others, 1)
    return np.append(order[middle], rest[places])


def kept_trajectories(
    episodes: Mapping[int, Episode], table: pd.DataFrame, environment: str
) -> States:
    """Trajectories of an evaluation, one after another, for videos and pictures.

    Args:
        episodes: Row in the table to what happened.
        table: The table of `vlmrm.training.evaluation.evaluate`.
        environment: Name of the environment.

    Returns:
        States with the labels of the environment's oracles, and with the columns ``trajectory``,
        ``step`` (from 0), ``environment_reward``, and ``origin`` (the trajectory in words).
    """
    share, names = table["success_fraction"], [f"trajectory {row}" for row in episodes]
    if share.notna().all():
        ranks = share.rank(method="first", ascending=False).astype(int)
        names = [f"trajectory {row}, rank {ranks[row]} of {len(table)}" for row in episodes]
    lengths = [len(episode.rewards) for episode in episodes.values()]
    columns = {
        "origin": np.repeat(names, lengths),
        "trajectory": np.repeat([*episodes], lengths),
        "step": np.concatenate([np.arange(length) for length in lengths]),
        "environment_reward": np.concatenate([episode.rewards for episode in episodes.values()]),
    }
    values = np.concatenate([episode.states for episode in episodes.values()])
    return labeled(environment, values, columns)


def record_trajectories(
    path: str | os.PathLike[str],
    states: States,
    settings: RecordingSettings,
    reward: RewardSource,
    frames: FrameReader | None = None,
) -> None:
    """Records trajectories that were kept, with their rewards and verdicts.

    Args:
        path: Output file (MP4).
        states: The trajectories, by `kept_trajectories`.
        settings: The run and its task, and how the video looks.
        reward: Reward source of the run.
        frames: Frames of the states, where the environment draws them only while it acts.

    Raises:
        UserError: The states have no labels of the oracle, or rendering cannot start.
    """
    task, oracle = settings.run.task, settings.oracle
    verdicts = states.oracle_labels(task, oracle) if oracle else None
    rewards = trajectory_rewards(states, settings, reward, frames)
    video = settings.video
    with _footage(states, video.environment, [video.scene], video.rendering, frames) as footage:
        takes = [
            Take(
                footage.pictures(rows),
                rewards[rows],
                None if verdicts is None else verdicts[rows],
                str(states.columns["origin"][rows[0]]),
            )
            for rows in _trajectories(states)
        ]
        rate = frames_per_second(settings.environment, settings.own)
        write_video(path, takes, _legend(settings.run, settings.goals), footage.shape, rate)


def record_episode(
    path: Path,
    states: NDArray[np.float64],
    rewards: NDArray[np.float32],
    settings: TrainingSettings,
    oracle: Oracle | None,
) -> None:
    """Records an episode of a training, which has computed its rewards.

    Args:
        path: Output file ``STEPS.mp4``.
        states: States of the episode ``[T, D]``.
        rewards: Their rewards ``[T]``.
        settings: The run, and how the video looks.
        oracle: Oracle of the task, if it has one.
    """
    video = settings.video
    assert video is not None
    verdicts = oracle(states) if oracle else None
    episode = States(video.environment, states)
    with _footage(episode, video.environment, [video.scene], video.rendering) as footage:
        pictures = footage.pictures(np.arange(len(states)))
        take = Take(pictures, rewards, verdicts, f"in training, after {int(path.stem):,} steps")
        legend = _legend(settings.run, settings.prompts.goals)
        rate = frames_per_second(settings.environment, settings.own)
        write_video(path, [take], legend, footage.shape, rate)


def trajectory_rewards(
    states: States,
    settings: RunRewardSettings,
    reward: RewardSource,
    frames: FrameReader | None = None,
) -> NDArray[np.float64]:
    """The rewards ``[N]`` of trajectories that were kept, as in training.

    The arguments are those of `record_trajectories`. Frames are rendered as the reward model sees
    them, whatever size the video has.
    """
    rewards = []
    sees = reward.frames_per_call > 0
    view = (settings.environment, settings.scenes, settings.rendering)
    with _footage(states, *view, frames) if sees else nullcontext() as footage:
        for rows in _trajectories(states):
            reward.state = None  # nothing is before the first step
            size = reward.frames_per_call or len(rows)
            for part in (rows[start : start + size] for start in range(0, len(rows), size)):
                shown = None
                if footage is not None:
                    shown = np.stack([frame.copy() for frame in footage.pictures(part)])
                steps = StepBatch(
                    states.values[part, None],
                    states.columns["environment_reward"][part, None].astype(np.float32),
                    (part == rows[-1])[:, None],
                    None if shown is None else shown[:, None],
                )
                rewards.append(reward(steps)[:, 0].astype(np.float64))
    return np.concatenate(rewards)


class Footage(NamedTuple):
    """Frames of states.

    Attributes:
        shape: Height, width, and channels of a frame.
        pictures: Yields the frames of rows that follow one another; each is valid until the next.
    """

    shape: tuple[int, ...]
    pictures: Callable[[Rows], Iterator[Frame]]


@contextmanager
def _footage(
    states: States,
    environment: str,
    scenes: Sequence[str],
    rendering: Rendering,
    frames: FrameReader | None = None,
) -> Iterator[Footage]:
    """Renders states in one or several scenes, or reads their frames."""
    if frames is not None:

        def read(rows: Rows) -> Iterator[Frame]:
            for part in np.array_split(rows, math.ceil(len(rows) / FRAMES_PER_CHUNK)):
                yield from frames[part[0] : part[-1] + 1]

        yield Footage(frames.shape[1:], read)
        return
    renderer = make_views(environment, scenes, rendering)
    try:
        yield Footage(renderer.shape, lambda rows: rendered(renderer, states.values[rows]))
    finally:
        renderer.close()


def _trajectories(states: States) -> Iterator[Rows]:
    """The rows of each trajectory."""
    numbers = states.columns["trajectory"]
    for number in dict.fromkeys(numbers.tolist()):
        yield np.flatnonzero(numbers == number)


def _legend(run: TrainingRun, goals: Sequence[str]) -> Legend:
    """The task by its sentence, or by its name where the training reads none."""
    task = run.task
    if goals:
        task = f"\N{LEFT DOUBLE QUOTATION MARK}{goals[0]}\N{RIGHT DOUBLE QUOTATION MARK}"
        task += f" and {len(goals) - 1} more" * (len(goals) > 1)
    by_model = f"by {run.reward_source}, {run.scoring}"
    return Legend(task, REFERENCE_WORDS.get(run.reward_source, by_model))
