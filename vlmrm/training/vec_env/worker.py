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
import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from vlmrm.errors import UserError
from vlmrm.machine.memory import require_memory
from vlmrm.rendering.base import Renderer
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
        starts = np.cumsum([0] + [-(-size // ALIGNMENT) * ALIGNMENT for size in sizes])
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
    """Environments that step one after another and share a renderer."""

    def __init__(self, spec: EnvSpec, count: int):
        self._environments = [spec.make_env() for _ in range(count)]
        self._renderer = spec.make_renderer() if spec.make_renderer else None
        self._frames_after_reset = spec.frames_after_reset
        self._shown: list[NDArray[np.float64]] = []
        self.arrays: SharedArrays

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
        """Calls a method and yields its result; ``step`` yields again after rendering its frames.

        The next actions can be computed while the frames are rendered.
        """
        yield getattr(self, command)(argument)
        if command == "step" and self._renderer:
            self._render(self._renderer, slot=argument)
            yield None

    def reset(self, seeds: list[int | None]) -> None:
        for i, (env, seed) in enumerate(zip(self._environments, seeds, strict=True)):
            self.arrays.observations[i], _ = env.reset(seed=seed)

    def step(self, slot: int) -> None:
        """Takes ``arrays.actions``; an environment whose episode ends is reset."""
        del slot  # of the frames, which are rendered afterwards
        x = self.arrays
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

    def _render(self, renderer: Renderer, slot: int) -> None:
        for state, frame in zip(self._shown, self.arrays.frames[slot], strict=True):
            renderer.render(state, frame)

    def snapshot(self, _: None) -> list[Snapshot]:
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
        if self._renderer:
            self._renderer.close()


def single_precision(space: spaces.Box) -> spaces.Box:
    """The same box in float32, the precision of networks and replay buffers."""
    if space.dtype != np.float64:
        return space
    return spaces.Box(space.low.astype(np.float32), space.high.astype(np.float32), dtype=np.float32)


def layers(env: gym.Env[Any, Any]) -> Iterator[gym.Env[Any, Any]]:
    """Yields the wrappers, outermost first, and the environment itself."""
    yield env
    while isinstance(env, gym.Wrapper):
        env = env.env
        yield env


PLAIN = (bool, int, float, str, tuple, np.generic, np.ndarray, type(None))
"""Types of attributes that are part of an environment's state, besides random generators and
MuJoCo's data."""

MUJOCO_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
"""Everything that the next step of MuJoCo depends on."""

MUJOCO_DERIVED = (
    *("xpos", "xquat", "xmat", "xipos", "ximat", "geom_xpos", "geom_xmat"),
    *("site_xpos", "site_xmat", "subtree_com", "cvel", "cfrc_ext"),
)
"""Arrays that MuJoCo computes from an earlier state than the current one, and that environments
may read before their next step."""

Snapshot = list[dict[str, dict[str, Any]]]
"""Attributes of each layer of an environment by name: ``plain`` values, states of random
``generators``, and arrays of ``mujoco`` data."""


def snapshot(env: gym.Env[Any, Any]) -> Snapshot:
    """Everything that an environment's future depends on: simulator, counters, random generator."""
    return [_snapshot_layer(layer) for layer in layers(env)]


def _snapshot_layer(layer: gym.Env[Any, Any]) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = {"plain": {}, "generators": {}, "mujoco": {}}
    for name, value in vars(layer).items():
        if isinstance(value, PLAIN):
            kept["plain"][name] = copy.deepcopy(value)
        elif isinstance(value, np.random.Generator):
            kept["generators"][name] = value.bit_generator.state
        elif isinstance(value, mujoco.MjData):
            model = layer.model  # type: ignore[attr-defined]
            state = np.empty(mujoco.mj_stateSize(model, MUJOCO_STATE))
            mujoco.mj_getState(model, value, state, MUJOCO_STATE)
            derived = {array: getattr(value, array).copy() for array in MUJOCO_DERIVED}
            kept["mujoco"][name] = {"state": state, **derived}
    return kept


def restore(env: gym.Env[Any, Any], kept: Snapshot) -> None:
    """Puts an environment of the same kind into the state of a `snapshot`."""
    for layer, attributes in zip(layers(env), kept, strict=True):
        for name, value in attributes["plain"].items():
            setattr(layer, name, copy.deepcopy(value))
        for name, state in attributes["generators"].items():
            generator = np.random.default_rng()
            generator.bit_generator.state = state
            setattr(layer, name, generator)
        for name, arrays in attributes["mujoco"].items():
            # Overwritten, not replaced, because others hold references to it.
            data = getattr(layer, name)
            mujoco.mj_setState(layer.model, data, arrays["state"], MUJOCO_STATE)  # type: ignore[attr-defined]
            for array in MUJOCO_DERIVED:
                getattr(data, array)[:] = arrays[array]


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
