"""Windows: the latest frames of an episode, for rewards that depend on several.

The frames of a window are `KEEP_EVERY` steps apart, in trainings as in state sets of rollouts,
which keep one state in as many. Where such a set is a part of these, the next earlier state that is
in it stands for a missing one. At the start of an episode, its first frame is repeated, or the
first one that is in the set: after an early end, the steps that are kept do not start at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.config.states import KEEP_EVERY
from vlmrm.data.frames import FrameReader
from vlmrm.data.states import States
from vlmrm.rewards.steps import FRAMES_PER_CALL, StepBatch


def window_rows(states: States, window: int) -> NDArray[np.int64]:
    """The rows ``[N, window]`` of a state set whose frames are each row's window, the row last.

    A row without an earlier step of the same trajectory is repeated.
    """
    rows = np.arange(len(states))
    if "step" not in states.columns:
        return np.repeat(rows[:, None], window, axis=1)
    trajectory, step = states.columns["trajectory"], states.columns["step"]
    order = np.lexsort((step, trajectory))
    # States that were never in a rollout may share a trajectory, but then they share its step 0.
    starts = np.diff(trajectory[order], prepend=-1) != 0
    starts |= step[order] == 0
    first = np.maximum.accumulate(np.where(starts, rows, 0))
    back = np.arange(window)[::-1]
    found = np.empty((len(states), window), dtype=np.int64)
    found[order] = order[np.maximum(rows[:, None] - back, first[:, None])]
    return found


def read_windows(
    reader: FrameReader, rows: NDArray[np.int64], size: int
) -> Iterator[NDArray[np.uint8]]:
    """Yields successive batches ``[n, window, H, W, 3]`` of at most ``size`` windows.

    Args:
        reader: Frames of a state set.
        rows: The rows ``[N, window]`` of each window.
        size: Windows per batch.
    """
    for start in range(0, len(rows), size):
        needed, places = np.unique(rows[start : start + size], return_inverse=True)
        yield reader[needed][places.reshape(-1, rows.shape[1])]


class WindowReward:
    """Computes the rewards of a training from windows of its frames.

    Args:
        reward: Takes uint8 windows ``[M, window, H, W, 3]``, returns rewards ``[M]``.
        window: Frames of a window.
        batch_size: Maximum number of windows per call.
    """

    frames_per_call = FRAMES_PER_CALL

    def __init__(
        self,
        reward: Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]],
        window: int,
        batch_size: int,
    ):
        self._reward = reward
        self._batch_size = batch_size
        self._back = KEEP_EVERY * np.arange(window)[::-1]
        self._past: NDArray[np.uint8] | None = None
        self._age: NDArray[np.int64] | None = None

    @property
    def state(self) -> dict[str, NDArray[Any]] | None:
        """The past of the next windows, for checkpoints.

        The latest ``frames`` ``[T, N, H, W, 3]``, and the ``age`` ``[N]`` in steps of the episode
        that each environment is in.
        """
        if self._past is None or self._age is None:
            return None
        return {"frames": self._past, "age": self._age}

    @state.setter
    def state(self, state: dict[str, NDArray[Any]] | None) -> None:
        self._past, self._age = (state["frames"], state["age"]) if state else (None, None)

    def __call__(self, steps: StepBatch) -> NDArray[np.floating[Any]]:
        assert steps.frames is not None
        count, envs = steps.dones.shape
        if self._past is None or self._age is None:
            self._past, self._age = steps.frames[:0], np.zeros(envs, dtype=np.int64)
        frames = np.concatenate([self._past, steps.frames])
        ages, self._age = _ages(self._age, steps.dones)
        now = len(self._past) + np.arange(count)[:, None, None]
        times = (now - np.minimum(self._back, ages[..., None])).reshape(count * envs, -1)
        places = np.tile(np.arange(envs), count)[:, None]
        self._past = frames[max(len(frames) - int(self._back[0]), 0) :].copy()
        rewards = [
            self._reward(frames[times[part], places[part]])
            for start in range(0, len(times), self._batch_size)
            for part in [slice(start, start + self._batch_size)]
        ]
        return np.concatenate(rewards).reshape(count, envs)


def _ages(
    age: NDArray[np.int64], dones: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps of the episode before each of ``[K, N]`` steps, and before the one that follows."""
    ages = np.empty(dones.shape, dtype=np.int64)
    for step, done in enumerate(dones):
        ages[step] = age
        age = np.where(done, 0, age + 1)
    return ages, age
