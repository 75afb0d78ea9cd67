"""Films and state sets of environments that draw their frames only while they act."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vlmrm.config.settings import EvaluationSettings, RolloutSettings
from vlmrm.data.frames import FrameWriter
from vlmrm.data.states import States
from vlmrm.rendering.video import open_video
from vlmrm.terminal.bars import bar
from vlmrm.training.evaluation import Played, evaluate, judge, opened
from vlmrm.training.rollouts import KEEP_EVERY, Draw, collect, draw

FRAMES_PER_SECOND = 30
"""Rate of the films of environments that say none."""


def evaluate_and_film(
    policy: str | os.PathLike[str],
    settings: EvaluationSettings,
    video: str | os.PathLike[str],
    workers: int | None = None,
) -> pd.DataFrame:
    """Judges a policy as `evaluate`, and films the first trajectories while it judges them.

    Returns:
        The table of `evaluate`.
    """
    filmed = min(settings.video_trajectories, settings.trajectories)
    tables = []
    # A process draws that has not loaded PyTorch; see `load_triton_first`.
    with opened(policy, settings, 1, settings.seed, workers=1, live_frames=True) as (env, act):
        rate = env.get_attr("metadata")[0].get("render_fps", FRAMES_PER_SECOND)
        with open_video(video, env.frame_shape, rate) as append:
            for number in range(filmed):
                env.seed(settings.seed + number)
                observations = env.reset()
                states, rewards, done = [], [], np.zeros(1, bool)
                while not done.any():
                    observations, reward, done, _ = env.step(act(observations))  # type: ignore[assignment]
                    env.finish_frames()
                    append(env.frames(0, 1)[0, 0])
                    states.append(env.states)
                    rewards.append(reward.astype(np.float64))
                dones = np.arange(1, len(states) + 1) == len(states)
                episode = Played(np.stack(states, 1), np.stack(rewards, 1), dones[None])
                tables.append(judge(episode, settings))
    if rest := settings.trajectories - filmed:
        update = {"trajectories": rest, "seed": settings.seed + filmed}
        tables.append(evaluate(policy, settings.model_copy(update=update), workers)[0])
    table = pd.concat(tables, ignore_index=True)
    table["trajectory"] = np.arange(len(table))
    return table


def sample_live_rollouts(
    settings: RolloutSettings,
    folder: Path | None,
    frames: str | os.PathLike[str],
    workers: int | None = None,
    **context: Any,
) -> States:
    """Samples states as `sample_rollouts`, and writes the frames of those that are kept.

    Args:
        settings: As for `sample_rollouts`.
        folder: As for `sample_rollouts`.
        frames: Output file of the frames (HDF5).
        workers: Maximum number of processes, by default one per core.
        **context: Added to the provenance of the frames.
    """
    drawn = draw(settings, folder)
    steps = -(-settings.episode_steps // KEEP_EVERY)
    shape = (len(drawn.policies), drawn.trajectories, steps)
    kept = np.zeros(shape, dtype=bool)
    kept.reshape(-1)[drawn.rows] = True
    episodes = np.zeros(shape, dtype=np.intp)
    values: list[np.ndarray[Any, Any]] = []
    rows: list[np.ndarray[Any, Any]] = []
    names: list[str] = []
    writer: FrameWriter | None = None
    with ExitStack() as stack:
        for number, (policy, seed) in enumerate(zip(drawn.policies, drawn.seeds, strict=True)):
            explore = settings.spec.explore
            with opened(
                policy, settings, drawn.trajectories, seed, max(workers or 1, 1), explore, True
            ) as (env, act):
                if writer is None:
                    height, width, channels = env.frame_shape
                    size = (len(drawn.rows), height, width, channels)
                    writer = stack.enter_context(FrameWriter(frames, size, **context))
                env.seed(seed)
                observations = env.reset()
                names = env.env_method("state_names", indices=0)[0]
                episode = np.zeros(drawn.trajectories, dtype=np.intp)
                for step in bar(range(settings.episode_steps), unit="step", desc="play"):
                    place, skipped = divmod(step, KEEP_EVERY)
                    env.drawing = not skipped and bool(kept[number, :, place].any())
                    observations, _, done, _ = env.step(act(observations))  # type: ignore[assignment]
                    if not skipped:
                        episodes[number, :, place] = episode
                    if env.drawing:
                        env.finish_frames()
                        chosen = np.flatnonzero(kept[number, :, place])
                        writer.append(env.frames(0, 1)[0, chosen])
                        values.append(env.states[chosen])
                        rows.append(np.ravel_multi_index((number, chosen, place), shape))
                    episode += done
    # Frames come step by step, in all environments at once.
    order = Draw(drawn.policies, drawn.seeds, drawn.trajectories, np.concatenate(rows))
    states = collect(settings, order, np.concatenate(values), episodes.reshape(-1, steps))
    return replace(states, names=names)
