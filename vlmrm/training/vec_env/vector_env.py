"""Parallel environments whose frames are rendered by the processes that step them."""

from __future__ import annotations

import itertools
import math
import multiprocessing
import multiprocessing.connection
import os
from collections import deque
from collections.abc import Sequence
from multiprocessing import reduction
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from vlmrm.errors import UserError
from vlmrm.training.vec_env.snapshots import Snapshot
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.worker import (
    Call,
    EnvironmentGroup,
    Shapes,
    SharedArrays,
    serve,
)

START_TIMEOUT = 300.0
"""Seconds in which a worker imports its libraries and creates up to `PER_TIMEOUT` environments."""

PER_TIMEOUT = 4
"""Environments of a worker, one after another, to which a timeout applies."""

WAIT = 1.0
"""Seconds of one wait for a worker. Waits are counted, because a clock would also count the time
for which all processes were suspended."""


class WorkerError(RuntimeError):
    """A worker process died, hangs, or raised an error."""


def available_cores() -> int:
    """Number of cores that this process may use; a scheduler can limit it."""
    return len(os.sched_getaffinity(0))


class VectorEnv(VecEnv):
    """Environments stepped in parallel, with Stable-Baselines3's interface.

    A frame shows the state after a step and before the automatic reset, so the last frame of an
    episode belongs to that episode. Frames lie in a ring of slots, one slot for each step of all
    environments. `step_wait` returns when the environments have stepped; their frames are rendered
    while the caller goes on, until `finish_frames`.

    Episodes that end by a time limit are marked by ``TimeLimit.truncated``, and the last
    observation of any episode is its ``terminal_observation``.

    Args:
        spec: The environments.
        workers: Number of processes; by default one per core. 0 steps in this process, which is
            faster if a step takes microseconds.

    Raises:
        WorkerError: In any method, if a worker died, hangs, or raised an error.
        UserError: Rendering cannot start here.
    """

    timeout = 120.0
    """Seconds after which a worker of up to `PER_TIMEOUT` environments without an answer counts as
    hanging; one of twice as many has twice the time."""
    drawing = True
    """Whether the frames of the next steps are drawn, where there are any."""

    def __init__(self, spec: EnvSpec, workers: int | None = None):
        workers = min(available_cores() if workers is None else workers, spec.n_envs)
        self._groups: list[_Group] = []
        self._rendering = False
        self._next_slot = 0
        if workers:
            shapes = self._start(spec, workers)
        else:
            local = _LocalGroup(spec)
            self._groups = [local]
            shapes, self._arrays = local.shapes, local.arrays
        self.slots = spec.slots
        self.frame_shape = shapes.frame
        super().__init__(spec.n_envs, shapes.observation_space, shapes.action_space)

    def _start(self, spec: EnvSpec, workers: int) -> Shapes:
        bounds = np.linspace(0, spec.n_envs, workers + 1).round().astype(int).tolist()
        started = [_Worker(spec, slice(*rows)) for rows in itertools.pairwise(bounds)]
        self._groups = list(started)
        try:
            shapes: list[Shapes] = [worker.answer(START_TIMEOUT) for worker in started]
            # Anonymous memory, because /dev/shm is only 64 MB in many containers.
            file = os.memfd_create("frames")
            self._arrays = SharedArrays.allocate(spec, shapes[0], file)
            for worker in started:
                worker.share(file)
            os.close(file)
        except BaseException:
            self.close()
            raise
        return shapes[0]

    def reset(self) -> NDArray[Any]:
        self.finish_frames()
        self._ask("reset", [self._seeds[group.rows] for group in self._groups])
        self._reset_seeds()
        return self._arrays.observations.copy()

    def step_async(self, actions: NDArray[Any]) -> None:
        self._arrays.actions[:] = actions
        slot = self._next_slot if self.drawing else None
        for group in self._groups:
            group.request("step", slot)
        self._next_slot = (self._next_slot + 1) % self.slots

    def step_wait(self) -> VecEnvStepReturn:
        self.finish_frames()  # of the step before
        self._answers()
        self._rendering = self.drawing and bool(self.frame_shape)
        x = self._arrays
        dones = x.dones.copy()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(dones):
            infos[i]["terminal_observation"] = x.final_observations[i].copy()
            infos[i]["TimeLimit.truncated"] = bool(x.truncated[i])
        return x.observations.copy(), x.rewards.astype(np.float32), dones, infos

    @property
    def states(self) -> NDArray[np.float64]:
        """Simulator states ``[N, D]`` after the last step, before any automatic reset."""
        return self._arrays.states.copy()

    def finish_frames(self) -> None:
        """Waits until the frames of the last step are rendered."""
        if self._rendering:
            self._rendering = False
            self._answers()

    def frames(self, slot: int, steps: int) -> NDArray[np.uint8]:
        """View of the frames ``[steps, N, H, W, 3]`` from ``slot`` on, valid once finished."""
        return self._arrays.frames[slot : slot + steps]

    def rewind(self) -> None:
        """Makes the next step use the first slot for its frames."""
        self._next_slot = 0

    def snapshot(self) -> list[Snapshot] | None:
        """The state of every environment, for `restore`; None if it cannot be known."""
        self.finish_frames()
        groups = self._ask("snapshot")
        return None if None in groups else [env for group in groups for env in group]

    def restore(self, snapshots: Sequence[Snapshot]) -> None:
        """Puts every environment into the state of a `snapshot`."""
        self._ask("restore", [snapshots[group.rows] for group in self._groups])

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        return self.env_method("get_wrapper_attr", attr_name, indices=indices)

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        self.env_method("set_wrapper_attr", attr_name, value, indices=indices)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        self.finish_frames()
        calls: list[list[Call]] = [[] for _ in self._groups]
        for i in sorted(self._get_indices(indices)):
            number = next(n for n, group in enumerate(self._groups) if i < group.rows.stop)
            start = self._groups[number].rows.start
            calls[number].append((i - start, method_name, method_args, method_kwargs))
        return [value for group in self._ask("call", calls) for value in group]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        self.finish_frames()
        wrapped = [v for group in self._ask("env_is_wrapped", wrapper_class) for v in group]
        return [wrapped[i] for i in self._get_indices(indices)]

    def close(self) -> None:
        for group in self._groups:
            group.close()
        self._groups = []

    def _ask(self, command: str, arguments: Any = None) -> list[Any]:
        """Sends a command to every group; a list has one argument per group."""
        for i, group in enumerate(self._groups):
            group.request(command, arguments[i] if isinstance(arguments, list) else arguments)
        return self._answers()

    def _answers(self) -> list[Any]:
        return [group.answer(self.timeout) for group in self._groups]


class _Group(Protocol):
    """Some of the environments, in this process or in another."""

    rows: slice

    def request(self, command: str, argument: Any) -> None: ...

    def answer(self, timeout: float) -> Any: ...

    def close(self) -> None: ...


class _LocalGroup:
    """All environments, in this process."""

    def __init__(self, spec: EnvSpec):
        self.rows = slice(0, spec.n_envs)
        self._group = EnvironmentGroup(spec, spec.n_envs)
        self._answers: deque[Any] = deque()
        self.shapes = self._group.shapes
        self.arrays = self._group.arrays = SharedArrays.allocate(spec, self.shapes)

    def request(self, command: str, argument: Any) -> None:
        self._answers.extend(self._group.execute(command, argument))

    def answer(self, timeout: float) -> Any:
        del timeout
        return self._answers.popleft()

    def close(self) -> None:
        self._group.close()


class _Worker:
    """Some of the environments, in another process."""

    def __init__(self, spec: EnvSpec, rows: slice):
        self.rows = rows
        self._name = f"environment worker (environments {rows.start} to {rows.stop - 1})"
        self._draws = bool(spec.make_renderer) or spec.live_frames
        # The state of CUDA, EGL, and thread pools does not survive a fork.
        context = multiprocessing.get_context("spawn")
        self._connection, remote = context.Pipe()
        self._process = context.Process(target=serve, args=(remote, spec, rows), daemon=True)
        self._process.start()
        remote.close()

    def share(self, file: int) -> None:
        assert self._process.pid is not None
        reduction.send_handle(self._connection, file, self._process.pid)

    def request(self, command: str, argument: Any) -> None:
        try:
            self._connection.send((command, argument))
        except OSError:
            # The worker's last message explains more than the broken connection.
            self.answer(timeout=1.0)
            raise

    def answer(self, timeout: float) -> Any:
        timeout *= math.ceil((self.rows.stop - self.rows.start) / PER_TIMEOUT)
        waits = math.ceil(timeout / WAIT)
        if not any(self._wait(timeout / waits) for _ in range(waits)):
            reason = (
                "if rendering hangs, the driver may not support several EGL contexts: use fewer "
                "workers, or 0"
                if self._draws
                else "an environment hangs, or its steps take too long: use more workers"
            )
            raise WorkerError(f"{self._name} has not answered for {timeout:g} s; {reason}")
        try:
            well, answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(1.0)
            raise WorkerError(
                f"{self._name} died with exit code {self._process.exitcode}; -9 usually means out "
                "of memory: use fewer environments or workers"
            ) from error
        if isinstance(answer, UserError):
            raise answer
        if not well:
            raise WorkerError(f"{self._name} raised an error:\n{answer}")
        return answer

    def _wait(self, timeout: float) -> bool:
        """Whether there is an answer, or the worker has ended."""
        ready = multiprocessing.connection.wait([self._connection, self._process.sentinel], timeout)
        return bool(ready)

    def close(self) -> None:
        """Closes the connection, which ends the worker; kills it if it hangs."""
        self._connection.close()
        self._process.join(2.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
