"""Several environments stepped one after another: what a worker process does.

Nothing here imports torch, so that workers start fast and stay small.
"""

from __future__ import annotations

import mmap
import multiprocessing.connection
import os
import pickle
import signal
import traceback
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import reduction
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from vlmrm.errors import UserError
from vlmrm.rendering.base import Renderer

MakeEnv = Callable[[], gym.Env[Any, Any]]
MakeRenderer = Callable[[], Renderer]
Call = tuple[int, str, tuple[Any, ...], dict[str, Any]]
"""Environment, method, and its arguments."""

ALIGNMENT = 64
"""Bytes to a multiple of which arrays in shared memory begin."""


@dataclass(frozen=True)
class Shapes:
    """What one environment takes and gives."""

    observation_space: spaces.Box
    action_space: spaces.Space[Any]
    state: tuple[int, ...]
    frame: tuple[int, ...]
    """Height, width, channels; empty if nothing is drawn."""


@dataclass
class Exchange:
    """Arrays through which the main process and its workers exchange steps.

    N environments; S slots for frames, used in turn.
    """

    actions: NDArray[Any]  # [N, ...]
    observations: NDArray[Any]  # [N, ...], after an automatic reset
    final_observations: NDArray[Any]  # [N, ...], before the reset, where an episode ended
    rewards: NDArray[np.float64]  # [N]
    dones: NDArray[np.bool_]  # [N]
    truncated: NDArray[np.bool_]  # [N], ended by the time limit alone
    states: NDArray[np.float64]  # [N, D], before an automatic reset
    frames: NDArray[np.uint8]  # [S, N, H, W, 3], pictures of `states`

    @classmethod
    def allocate(
        cls, shapes: Shapes, environments: int, slots: int, file: int | None = None
    ) -> Exchange:
        """Arrays in the shared memory ``file``, which grows to fit, or in this process."""
        observation, action = shapes.observation_space, shapes.action_space
        assert observation.shape is not None and action.shape is not None
        layout: list[tuple[tuple[int, ...], Any]] = [
            ((environments, *action.shape), action.dtype),
            ((environments, *observation.shape), observation.dtype),
            ((environments, *observation.shape), observation.dtype),
            ((environments,), np.float64),
            ((environments,), np.bool_),
            ((environments,), np.bool_),
            ((environments, *shapes.state), np.float64),
            ((slots if shapes.frame else 0, environments, *shapes.frame), np.uint8),
        ]
        if file is None:
            return cls(*(np.zeros(shape, dtype) for shape, dtype in layout))
        sizes = [int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in layout]
        starts = np.cumsum([0] + [-(-size // ALIGNMENT) * ALIGNMENT for size in sizes])
        os.ftruncate(file, int(starts[-1]))
        memory = mmap.mmap(file, int(starts[-1]))
        return cls(
            *(
                np.frombuffer(memory, dtype, int(np.prod(shape)), int(start)).reshape(shape)
                for (shape, dtype), start in zip(layout, starts, strict=False)
            )
        )

    def part(self, rows: slice) -> Exchange:
        """Views of some of the environments."""
        *arrays, frames = (getattr(self, name) for name in self.__dataclass_fields__)
        return Exchange(*[*(array[rows] for array in arrays), frames[:, rows]])


class EnvironmentGroup:
    """Environments that take their steps one after another and share a renderer."""

    def __init__(
        self,
        make_env: MakeEnv,
        environments: int,
        make_renderer: MakeRenderer | None,
        frames_after_reset: bool = False,
    ):
        self._environments = [make_env() for _ in range(environments)]
        self._renderer = make_renderer() if make_renderer else None
        self._frames_after_reset = frames_after_reset
        self._shown: list[NDArray[np.float64]] = []
        self.exchange: Exchange

    @property
    def shapes(self) -> Shapes:
        env = self._environments[0]
        assert isinstance(env.observation_space, spaces.Box)
        env.reset()
        return Shapes(
            single_precision(env.observation_space),
            env.action_space,
            env.unwrapped.state_vector().shape,  # type: ignore[attr-defined]
            self._renderer.shape if self._renderer else (),
        )

    def execute(self, command: str, argument: Any) -> Iterator[Any]:
        """Carries out a method; answers once, but ``step`` once more when the frames are drawn.

        The environments can thus be given their next actions while they are being drawn.
        """
        yield getattr(self, command)(argument)
        if command == "step" and self._renderer:
            self._draw(self._renderer, slot=argument)
            yield None

    def reset(self, seeds: list[int | None]) -> None:
        for i, (env, seed) in enumerate(zip(self._environments, seeds, strict=True)):
            self.exchange.observations[i], _ = env.reset(seed=seed)

    def step(self, slot: int) -> None:
        """Takes ``exchange.actions``; an environment whose episode ends is reset."""
        del slot  # of the frames, which are drawn afterwards
        x = self.exchange
        self._shown = list(x.states)
        for i, env in enumerate(self._environments):
            observation, x.rewards[i], terminated, truncated, _ = env.step(x.actions[i])
            x.states[i] = env.unwrapped.state_vector()  # type: ignore[attr-defined]
            x.dones[i] = terminated or truncated
            x.truncated[i] = truncated and not terminated
            if x.dones[i]:
                x.final_observations[i] = observation
                observation, _ = env.reset()
                if self._frames_after_reset:
                    self._shown[i] = env.unwrapped.state_vector()  # type: ignore[attr-defined]
            x.observations[i] = observation

    def _draw(self, renderer: Renderer, slot: int) -> None:
        for state, frame in zip(self._shown, self.exchange.frames[slot], strict=True):
            renderer.render(state, frame)

    def snapshot(self, _: None) -> list[bytes]:
        return [snapshot(env) for env in self._environments]

    def restore(self, snapshots: list[bytes]) -> None:
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
        if self._renderer:
            self._renderer.close()


def single_precision(space: spaces.Box) -> spaces.Box:
    """The same box in float32, in which networks compute and replay buffers store."""
    if space.dtype != np.float64:
        return space
    return spaces.Box(space.low.astype(np.float32), space.high.astype(np.float32), dtype=np.float32)


def layers(env: gym.Env[Any, Any]) -> Iterator[gym.Env[Any, Any]]:
    """The wrappers from the outermost to the environment itself."""
    yield env
    while isinstance(env, gym.Wrapper):
        env = env.env
        yield env


PLAIN = (bool, int, float, str, tuple, np.generic, np.ndarray, np.random.Generator, type(None))
"""Types of the attributes that make up the state of an environment, besides MuJoCo's data."""


def snapshot(env: gym.Env[Any, Any]) -> bytes:
    """Everything an environment's future depends on: simulator, counters, random generator."""
    kept = [
        {k: v for k, v in vars(layer).items() if isinstance(v, (*PLAIN, mujoco.MjData))}
        for layer in layers(env)
    ]
    return zlib.compress(pickle.dumps(kept), 1)


def restore(env: gym.Env[Any, Any], kept: bytes) -> None:
    """Puts an environment made in the same way into the state of a `snapshot`."""
    for layer, attributes in zip(layers(env), pickle.loads(zlib.decompress(kept)), strict=True):
        for name, value in attributes.items():
            if isinstance(value, mujoco.MjData):
                # Others hold references to the data: it is overwritten, not replaced.
                mujoco.mj_copyData(getattr(layer, name), layer.model, value)  # type: ignore[attr-defined]
            else:
                setattr(layer, name, value)


def serve(
    connection: multiprocessing.connection.Connection,
    make_env: MakeEnv,
    rows: slice,
    environments: int,
    slots: int,
    make_renderer: MakeRenderer | None,
    frames_after_reset: bool,
) -> None:
    """Main function of a worker process: carries out commands until the connection closes.

    Args:
        connection: To the main process.
        make_env: Creates an environment.
        rows: Which of the environments are this worker's.
        environments: Number of environments of all workers.
        slots: Number of frame slots.
        make_renderer: Creates the renderer, if frames are wanted.
        frames_after_reset: As for `vlmrm.training.vec_env.vector_env.VectorEnv`.
    """
    # Both signals go to the whole process group. The main process decides what they mean, and
    # needs its workers to write a checkpoint.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        count = rows.stop - rows.start
        group = EnvironmentGroup(make_env, count, make_renderer, frames_after_reset)
        shapes = group.shapes
        connection.send((True, shapes))
        file = reduction.recv_handle(connection)
        group.exchange = Exchange.allocate(shapes, environments, slots, file).part(rows)
        os.close(file)
        while True:
            for answer in group.execute(*connection.recv()):
                connection.send((True, answer))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # The main process is done, or gone.
    except UserError as error:
        connection.send((False, error))
    except Exception:
        connection.send((False, traceback.format_exc()))
