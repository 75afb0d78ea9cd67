"""Checkpoints from which training continues as if it had never stopped.

A checkpoint consists of ``state.pkl`` and of files with the transitions of the replay buffer. Each
of these is written once, so a checkpoint writes only the transitions since the last one.
``state.pkl`` is replaced atomically and records how many transitions belong to it, so a complete
checkpoint exists whenever the process is killed.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import random
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from vlmrm.data.files import atomic_path
from vlmrm.errors import UserError
from vlmrm.training.deferred import DeferredReward
from vlmrm.training.vec_env.vector_env import VectorEnv


class Checkpoint:
    """The latest checkpoint of one training, in its own folder."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._state = folder / "state.pkl"
        self._replay = ReplayLog(folder)

    def exists(self) -> bool:
        return self._state.is_file()

    def save(self, agent: DeferredReward, **extra: Any) -> None:
        """Replaces the checkpoint. Every reward must be in the replay buffer.

        Args:
            agent: Its networks, optimizers, counters, replay buffer, and environments.
            extra: More values for `load` to return.
        """
        env = agent.env
        assert isinstance(env, VectorEnv) and agent.replay_buffer is not None
        networks = io.BytesIO()
        agent.save(networks)
        rows = agent.num_timesteps // env.num_envs
        self._replay.extend(agent.replay_buffer, rows)
        state = {
            "agent": networks.getvalue(),
            "replay_rows": rows,
            "environments": env.snapshot(),
            "random": _random_states(agent),
            **extra,
        }
        content = pickle.dumps(state)
        with atomic_path(self._state) as temporary:
            temporary.write_bytes(hashlib.sha256(content).digest() + content)
        self._replay.forget(before=rows - agent.replay_buffer.buffer_size)

    def load(self) -> dict[str, Any]:
        """Reads ``state.pkl``.

        Raises:
            UserError: It is damaged.
        """
        stored = self._state.read_bytes()
        size = hashlib.sha256().digest_size
        if hashlib.sha256(stored[size:]).digest() != stored[:size]:
            raise _damaged(self._state)
        state: dict[str, Any] = pickle.loads(stored[size:])
        return state

    def restore(
        self, state: dict[str, Any], kind: type[DeferredReward], env: VectorEnv, device: str
    ) -> DeferredReward:
        """Restores the environments and returns the agent of a loaded state.

        Raises:
            UserError: A file of the replay buffer is missing or damaged.
        """
        networks = io.BytesIO(state["agent"])
        # Without force_reset, the last observations are kept.
        agent = kind.load(networks, env=env, device=device, force_reset=False)
        assert agent.replay_buffer is not None
        self._replay.restore(agent.replay_buffer, state["replay_rows"])
        env.restore(state["environments"])
        # Last, because loading seeds all generators.
        _set_random_states(agent, state["random"])
        return agent

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class ReplayLog:
    """A replay buffer as files ``replay-START-END.npz`` with the rows from START up to END.

    Rows count from the start of the training; a row is one transition of each environment.
    """

    def __init__(self, folder: Path):
        self._folder = folder

    def extend(self, buffer: ReplayBuffer, rows: int) -> None:
        """Writes new rows, given the number of rows ever added to the buffer."""
        start = max([end for _, end in self._files()], default=0)
        start = max(start, rows - buffer.buffer_size)
        if start == rows:
            return
        index = np.arange(start, rows) % buffer.buffer_size
        dones = buffer.dones[index]
        following = buffer.next_observations[index]
        with atomic_path(self._path(start, rows)) as temporary:
            np.savez(
                temporary,
                observations=buffer.observations[index],
                # Within an episode, the next observation is in the next row.
                last=following[-1],
                terminal=following[dones > 0],
                actions=buffer.actions[index],
                rewards=buffer.rewards[index],
                dones=dones,
                timeouts=buffer.timeouts[index],
            )

    def restore(self, buffer: ReplayBuffer, rows: int) -> None:
        """Fills the buffer with the first ``rows`` rows, or the latest of them that fit.

        Raises:
            UserError: A file is missing or damaged.
        """
        missing = max(0, rows - buffer.buffer_size)
        for (start, end), path in sorted(self._files().items()):
            if end > rows:
                path.unlink()  # Written for a checkpoint that was never completed.
                continue
            if start > missing:
                break
            try:
                self._read(path, buffer, np.arange(start, end) % buffer.buffer_size)
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                raise _damaged(path) from error
            missing = end
        if missing < rows:
            raise _damaged(self._folder)
        buffer.pos = rows % buffer.buffer_size
        buffer.full = rows >= buffer.buffer_size

    @staticmethod
    def _read(path: Path, buffer: ReplayBuffer, index: NDArray[np.intp]) -> None:
        with np.load(path) as kept:
            for name in ("observations", "actions", "rewards", "dones", "timeouts"):
                getattr(buffer, name)[index] = kept[name]
            following = np.concatenate([kept["observations"][1:], kept["last"][None]])
            following[kept["dones"] > 0] = kept["terminal"]
            buffer.next_observations[index] = following

    def forget(self, before: int) -> None:
        """Deletes files that hold only rows before this one."""
        for (_, end), path in self._files().items():
            if end <= before:
                path.unlink()

    def _path(self, start: int, end: int) -> Path:
        return self._folder / f"replay-{start:012}-{end:012}.npz"

    def _files(self) -> dict[tuple[int, int], Path]:
        paths = self._folder.glob("replay-*-*.npz")
        return {(int(p.stem.split("-")[1]), int(p.stem.split("-")[2])): p for p in paths}


def _damaged(path: Path) -> UserError:
    return UserError(
        f"{path}: damaged or incomplete, so that the training cannot continue; delete the folder "
        "'checkpoints' to train from the start"
    )


def _random_states(agent: OffPolicyAlgorithm) -> dict[str, Any]:
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002  # Stable-Baselines3's generator
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "actions": agent.action_space.np_random.bit_generator.state,
    }


def _set_random_states(agent: OffPolicyAlgorithm, states: dict[str, Any]) -> None:
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if torch.cuda.is_available() and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
    agent.action_space.np_random.bit_generator.state = states["actions"]
