"""A worker process, which steps several environments one after another.

Nothing here imports torch, so workers start fast and stay small.
"""

from __future__ import annotations

import copy
import math
import mmap
import multiprocessing.connection
import os
import signal
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import reduction
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from vlmrm.errors import UserError
from vlmrm.machine.memory import require_memory
from vlmrm.training.vec_env.frames import Frames, LiveFrames, StateFrames, state_of
from vlmrm.training.vec_env.snapshots import (
    Snapshot,
    exact,
    layers,
    model_checksum,
    restore,
    snapshot,
)
from vlmrm.training.vec_env.spec import EnvSpec

Call = tuple[int, str, tuple[Any, ...], dict[str, Any]]
"""Number of the environment, method, and its arguments."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that end a training: a scheduler's warning, Ctrl-C, and a closed terminal."""

ALIGNMENT = 64
"""Alignment in bytes of arrays in shared memory."""


@dataclass(frozen=True)
class Shapes:
    """Spaces and array shapes of one environment."""

    observation_space: spaces.Box
    action_space: spaces.Space[Any]
    state: tuple[int, ...]
    frame: tuple[int, ...]
    """Height, width, channels; empty without frames."""


@dataclass
class SharedArrays:
    """Arrays through which the main process and its workers exchange steps.

    There are N environments, and S slots for frames, used in turn.
    """

    actions: NDArray[Any]  # [N, ...]
    observations: NDArray[Any]  # [N, ...], after an automatic reset
    final_observations: NDArray[Any]  # [N, ...], before the reset, where an episode ended
    rewards: NDArray[np.float64]  # [N]
    dones: NDArray[np.bool_]  # [N]
    truncated: NDArray[np.bool_]  # [N], ended by the time limit alone
    states: NDArray[np.float64]  # [N, D], before an automatic reset
    frames: NDArray[np.uint8]  # [S, N, H, W, 3], of `states`

    @classmethod
    def allocate(cls, spec: EnvSpec, shapes: Shapes, file: int | None = None) -> SharedArrays:
        """Creates the arrays in shared memory ``file``, which is resized, or in this process."""
        observation, action = shapes.observation_space, shapes.action_space
        assert observation.shape is not None and action.shape is not None
        layout: list[tuple[tuple[int, ...], Any]] = [
            ((spec.n_envs, *action.shape), action.dtype),
            ((spec.n_envs, *observation.shape), observation.dtype),
            ((spec.n_envs, *observation.shape), observation.dtype),
            ((spec.n_envs,), np.float64),
            ((spec.n_envs,), np.bool_),
            ((spec.n_envs,), np.bool_),
            ((spec.n_envs, *shapes.state), np.float64),
            ((spec.slots if shapes.frame else 0, spec.n_envs, *shapes.frame), np.uint8),
        ]
        sizes = [math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in layout]
        require_memory("n_envs", sum(sizes))
        if file is None:
            return cls(*(np.zeros(shape, dtype) for shape, dtype in layout))
        starts = np.cumsum([0] + [math.ceil(size / ALIGNMENT) * ALIGNMENT for size in sizes])
        os.ftruncate(file, int(starts[-1]))
        memory = mmap.mmap(file, int(starts[-1]))
        return cls(
            *(
                np.frombuffer(memory, dtype, int(np.prod(shape)), int(start)).reshape(shape)
                for (shape, dtype), start in zip(layout, starts, strict=False)
            )
        )

    def part(self, rows: slice) -> SharedArrays:
        """Views of the arrays for some of the environments."""
        *arrays, frames = (getattr(self, name) for name in self.__dataclass_fields__)
        return SharedArrays(*[*(array[rows] for array in arrays), frames[:, rows]])


class EnvironmentGroup:
    """Environments that step one after another and share what draws their frames."""

    def __init__(self, spec: EnvSpec, count: int):
        self._environments = [spec.make_env() for _ in range(count)]
        self._models = [model_checksum(env) for env in self._environments]
        self._frames: Frames | None = None
        if spec.make_renderer:
            self._frames = StateFrames(spec.make_renderer(), count)
        elif spec.live_frames:
            self._frames = LiveFrames(self._environments)
        self._frames_after_reset = spec.frames_after_reset
        self.arrays: SharedArrays

    @property
    def shapes(self) -> Shapes:
        env = self._environments[0]
        assert isinstance(env.observation_space, spaces.Box)
        env.reset()
        return Shapes(
            single_precision(env.observation_space),
            copy.deepcopy(env.action_space),  # the agent samples from it
            state_of(env).shape,
            self._frames.shape if self._frames else (),
        )

    def execute(self, command: str, argument: Any) -> Iterator[Any]:
        """Calls a method and yields its result; ``step`` yields again after rendering its frames.

        The next actions can be computed while the frames are rendered.
        """
        yield getattr(self, command)(argument)
        if command == "step" and self._frames and argument is not None:
            self._frames.draw(self.arrays.frames[argument])
            yield None

    def reset(self, seeds: list[int | None]) -> None:
        for i, (env, seed) in enumerate(zip(self._environments, seeds, strict=True)):
            self.arrays.observations[i], _ = env.reset(seed=seed)

    def step(self, slot: int | None) -> None:
        """Takes ``arrays.actions``; an environment whose episode ends is reset.

        Frames belong into ``slot``; None for no frames.
        """
        x = self.arrays
        frames = self._frames if slot is not None else None
        for i, env in enumerate(self._environments):
            observation, x.rewards[i], terminated, truncated, _ = env.step(x.actions[i].copy())
            x.states[i] = state_of(env)
            x.dones[i] = terminated or truncated
            x.truncated[i] = truncated and not terminated
            late = x.dones[i] and self._frames_after_reset
            if frames and not late:
                frames.note(i, env, x.frames[slot], resets=x.dones[i])
            if x.dones[i]:
                x.final_observations[i] = observation
                observation, _ = env.reset()
            if frames and late:
                frames.note(i, env, x.frames[slot], resets=False)
            x.observations[i] = observation

    def snapshot(self, _: None) -> list[Snapshot] | None:
        together = zip(self._environments, self._models, strict=True)
        if not all(exact(env, checksum) for env, checksum in together):
            return None
        return [snapshot(env) for env in self._environments]

    def restore(self, snapshots: list[Snapshot]) -> None:
        for env, kept in zip(self._environments, snapshots, strict=True):
            restore(env, kept)

    def call(self, calls: list[Call]) -> list[Any]:
        return [
            self._environments[i].get_wrapper_attr(method)(*arguments, **keywords)
            for i, method, arguments, keywords in calls
        ]

    def env_is_wrapped(self, wrapper: type[gym.Wrapper[Any, Any, Any, Any]]) -> list[bool]:
        return [any(isinstance(w, wrapper) for w in layers(env)) for env in self._environments]

    def close(self) -> None:
        for env in self._environments:
            env.close()
        if self._frames:
            self._frames.close()


def single_precision(space: spaces.Box) -> spaces.Box:
    """The same box in float32, the precision of networks and replay buffers."""
    if space.dtype != np.float64:
        return space
    return spaces.Box(space.low.astype(np.float32), space.high.astype(np.float32), dtype=np.float32)


def serve(connection: multiprocessing.connection.Connection, spec: EnvSpec, rows: slice) -> None:
    """Main function of a worker process: executes commands until the connection closes.

    Args:
        connection: Connection to the main process.
        spec: Specification of all environments.
        rows: The environments of this worker.
    """
    # Signals go to the whole process group. The main process handles them, and needs its workers
    # to write a checkpoint.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    try:
        group = EnvironmentGroup(spec, rows.stop - rows.start)
        shapes = group.shapes
        connection.send((True, shapes))
        file = reduction.recv_handle(connection)
        group.arrays = SharedArrays.allocate(spec, shapes, file).part(rows)
        os.close(file)
        while True:
            for answer in group.execute(*connection.recv()):
                connection.send((True, answer))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # The main process has ended.
    except UserError as error:
        connection.send((False, error))
    except Exception:
        connection.send((False, traceback.format_exc()))
