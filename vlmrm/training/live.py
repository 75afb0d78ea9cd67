"""Evaluations and state sets of environments that draw their frames only while they act."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vlmrm.config.settings import EvaluationSettings, RolloutSettings
from vlmrm.config.states import KEEP_EVERY
from vlmrm.data.frames import FRAMES_PER_CHUNK, FrameWriter
from vlmrm.data.states import States
from vlmrm.terminal.bars import bar
from vlmrm.training.evaluation import Played, evaluate, judge, opened
from vlmrm.training.rollouts import collect, select
from vlmrm.training.videos import kept_trajectories


def evaluate_live(
    policy: str | os.PathLike[str],
    settings: EvaluationSettings,
    frames: str | os.PathLike[str],
    workers: int | None = None,
) -> tuple[pd.DataFrame, States]:
    """Judges a policy as `evaluate`, and keeps the first trajectories with their frames.

    Args:
        policy: As for `evaluate`.
        settings: As for `evaluate`.
        frames: Output file of the frames (HDF5).
        workers: As for `evaluate`.

    Returns:
        The table of `evaluate`, and the states of the frames, as by `kept_trajectories`.
    """
    count = min(settings.video_trajectories, settings.trajectories)
    tables, episodes, shown = [], {}, []
    # A process draws that has not loaded PyTorch; see `load_triton_first`.
    with ExitStack() as stack:
        env, act = stack.enter_context(
            opened(policy, settings, 1, settings.seed, workers=1, live_frames=True)
        )
        writer = stack.enter_context(FrameWriter(frames, None, scene="default", policy=str(policy)))
        names = env.env_method("state_names", indices=0)[0]
        for number in range(count):
            env.seed(settings.seed + number)
            observations = env.reset()
            states, rewards, done = [], [], np.zeros(1, bool)
            while not done.any():
                observations, reward, done, _ = env.step(act(observations))  # type: ignore[assignment]
                env.finish_frames()
                shown.append(env.frames(0, 1)[0, 0].copy())
                if len(shown) == FRAMES_PER_CHUNK:
                    writer.append(np.stack(shown))
                    shown.clear()
                states.append(env.states)
                rewards.append(reward.astype(np.float64))
            dones = np.arange(1, len(states) + 1) == len(states)
            played = Played(np.stack(states, 1), np.stack(rewards, 1), dones[None])
            tables.append(judge(played, settings))
            episodes[number] = played.first(0)
        if shown:
            writer.append(np.stack(shown))
    if rest := settings.trajectories - count:
        update = {"trajectories": rest, "seed": settings.seed + count}
        tables.append(evaluate(policy, settings.model_copy(update=update), workers)[0])
    table = pd.concat(tables, ignore_index=True)
    table["trajectory"] = np.arange(len(table))
    return table, replace(kept_trajectories(episodes, table, settings.environment), names=names)


def sample_live_rollouts(
    settings: RolloutSettings,
    folder: Path | None,
    frames: str | os.PathLike[str],
    workers: int | None,
    **context: Any,
) -> States:
    """Samples states as `sample_rollouts`, and writes the frames of those that are kept.

    Args:
        settings: As for `sample_rollouts`.
        folder: As for `sample_rollouts`.
        frames: Output file of the frames (HDF5).
        workers: Maximum number of processes; None for one.
        **context: Added to the provenance of the frames.
    """
    selection = select(settings, folder)
    steps = math.ceil(settings.episode_steps / KEEP_EVERY)
    shape = (len(selection.policies), selection.trajectories, steps)
    kept = np.zeros(shape, dtype=bool)
    kept.reshape(-1)[selection.rows] = True
    dones = np.zeros((*shape[:2], settings.episode_steps), dtype=bool)
    values: list[np.ndarray[Any, Any]] = []
    rows: list[np.ndarray[Any, Any]] = []
    names: list[str] = []
    with FrameWriter(frames, len(selection.rows), **context) as writer:
        for number, (policy, seed) in enumerate(
            zip(selection.policies, selection.seeds, strict=True)
        ):
            explore = settings.spec.explore
            with opened(
                policy, settings, selection.trajectories, seed, max(workers or 1, 1), explore, True
            ) as (env, act):
                env.seed(seed)
                observations = env.reset()
                names = env.env_method("state_names", indices=0)[0]
                for step in bar(range(settings.episode_steps), unit="step", desc="play"):
                    place, skipped = divmod(step, KEEP_EVERY)
                    env.drawing = not skipped and bool(kept[number, :, place].any())
                    observations, _, done, _ = env.step(act(observations))  # type: ignore[assignment]
                    dones[number, :, step] = done
                    if env.drawing:
                        env.finish_frames()
                        chosen = np.flatnonzero(kept[number, :, place])
                        writer.append(env.frames(0, 1)[0, chosen])
                        values.append(env.states[chosen])
                        rows.append(np.ravel_multi_index((number, chosen, place), shape))
    # Frames come step by step, in all environments at once.
    order = replace(selection, rows=np.concatenate(rows))
    states = collect(
        settings, order, np.concatenate(values), dones.reshape(-1, settings.episode_steps)
    )
    return replace(states, names=names)
