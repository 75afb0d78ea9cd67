"""Checkpoints from which training continues as if it had never stopped.

A checkpoint consists of ``state.npz`` and of files with the transitions of the replay buffer. Each
of these is written once, so a checkpoint writes only the transitions since the last one.
``state.npz`` is replaced atomically and records how many transitions belong to it, so a complete
checkpoint exists whenever the process is killed. Reading a checkpoint runs no code of its files.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from torch import Tensor

from vlmrm.data.files import atomic_path, reading
from vlmrm.data.values import read_values, write_values
from vlmrm.errors import UserError
from vlmrm.training.deferred import DeferredReward
from vlmrm.training.policies import load_weights
from vlmrm.training.vec_env.vector_env import VectorEnv

VERSION = 1
"""Version of the content of ``state.npz``."""

AGAIN = "delete the folder 'checkpoints' to train from the start"
"""What to do about a checkpoint from which a training cannot continue."""

COUNTERS = (
    *("num_timesteps", "round_steps", "_episode_num", "_n_updates", "_n_calls"),
    *("_current_progress_remaining", "exploration_rate", "_last_obs", "_last_episode_starts"),
)
"""Attributes of an agent that change while it learns, besides its networks and optimizers."""


class Checkpoint:
    """The latest checkpoint of one training, in its own folder."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._state = folder / "state.npz"
        self._replay = ReplayLog(folder)
        self._cuts: list[int] = []

    def exists(self) -> bool:
        """Whether there is one."""
        return self._state.is_file()

    def save(self, agent: DeferredReward, **extra: Any) -> None:
        """Replaces the checkpoint. Every reward must be in the replay buffer.

        Args:
            agent: Its networks, optimizers, counters, replay buffer, and environments.
            extra: More values for `load` to return.
        """
        env = agent.env
        assert isinstance(env, VectorEnv) and agent.replay_buffer is not None
        rows = agent.num_timesteps // env.num_envs
        self._replay.extend(agent.replay_buffer, rows)
        state = {
            "version": VERSION,
            "agent": _agent_state(agent),
            "replay_rows": rows,
            "environments": env.snapshot(),
            "cuts": self._cuts,
            "random": _random_states(agent),
            **extra,
        }
        with atomic_path(self._state) as temporary:
            write_values(temporary, state)
        self._replay.forget(before=rows - agent.replay_buffer.buffer_size)

    def load(self) -> dict[str, Any]:
        """Reads ``state.npz``.

        Raises:
            UserError: It is damaged, or of another version.
        """
        with reading(self._state, AGAIN):
            state: dict[str, Any] = read_values(self._state)
            version = state["version"]
        if version != VERSION:
            raise UserError(f"{self._state}: of version {version}, not {VERSION}; {AGAIN}")
        return state

    def restore(self, state: dict[str, Any], agent: DeferredReward) -> None:
        """Continues a loaded state: puts it into a new agent and its environments.

        Where the state of the environments is not known, new episodes start in them, and the last
        transitions before are marked as truncated.

        Raises:
            UserError: The state or a file of the replay buffer is missing, damaged, or of another
                agent.
        """
        assert isinstance(agent.env, VectorEnv) and agent.replay_buffer is not None
        with reading(self._state, AGAIN):
            _restore_agent(agent, state["agent"])
            self._cuts = [*state["cuts"]]
            if state["environments"] is not None:
                agent.env.restore(state["environments"])
            else:
                self._cuts.append(state["replay_rows"])
                agent.env.seed((agent.seed or 0) + agent.num_timesteps)
                vars(agent)["_last_obs"] = agent.env.reset()
        self._replay.restore(agent.replay_buffer, state["replay_rows"])
        _truncate(agent.replay_buffer, self._cuts, state["replay_rows"])
        with reading(self._state, AGAIN):
            # Last, because making an agent seeds all generators.
            _set_random_states(agent, state["random"])

    def remove(self) -> None:
        """Deletes the checkpoint, whose state goes first: without it, there is none."""
        self._state.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)


def _truncate(buffer: ReplayBuffer, cuts: list[int], rows: int) -> None:
    """Marks the last transitions before each cut, where new episodes started, as truncated."""
    for last in (cut - 1 for cut in cuts if cut > max(0, rows - buffer.buffer_size)):
        index = last % buffer.buffer_size
        buffer.timeouts[index][buffer.dones[index] == 0] = 1
        buffer.dones[index] = 1


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
            if end <= missing:
                continue  # The process was killed before it deleted the file.
            if start > missing:
                break
            with reading(path, AGAIN):
                self._read(path, buffer, np.arange(start, end) % buffer.buffer_size)
            missing = end
        if missing < rows:
            raise UserError(f"{self._folder}: lacks a file of the replay buffer; {AGAIN}")
        buffer.pos = rows % buffer.buffer_size
        buffer.full = rows >= buffer.buffer_size

    @staticmethod
    def _read(path: Path, buffer: ReplayBuffer, index: NDArray[np.intp]) -> None:
        with np.load(path, allow_pickle=False) as file:
            kept = {name: file[name] for name in file.files}
        for name in ("observations", "actions", "rewards", "dones", "timeouts"):
            array, rows = getattr(buffer, name), kept[name]
            if (rows.shape, rows.dtype) != ((len(index), *array.shape[1:]), array.dtype):
                raise ValueError(f"{name} of {rows.dtype} {list(rows.shape)}")
            array[index] = rows
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


def _agent_state(agent: DeferredReward) -> dict[str, Any]:
    optimizers = {
        name: {
            number: {key: value.numpy(force=True) for key, value in moments.items()}
            for number, moments in optimizer["state"].items()
        }
        for name, optimizer in agent.get_parameters().items()
        if name.endswith("optimizer")
    }
    return {
        "weights": {k: v.numpy(force=True) for k, v in agent.policy.state_dict().items()},
        "optimizers": optimizers,
        "log_ent_coef": _log_ent_coef(agent),
        "counters": {name: vars(agent)[name] for name in COUNTERS if name in vars(agent)},
    }


def _restore_agent(agent: DeferredReward, state: dict[str, Any]) -> None:
    load_weights(agent.policy, {k: torch.from_numpy(v) for k, v in state["weights"].items()})
    parameters = agent.get_parameters()
    for name, optimizer in state["optimizers"].items():
        # Their settings are those of the new agent; the learning rate is set before each update.
        moments = {n: {k: torch.from_numpy(v) for k, v in m.items()} for n, m in optimizer.items()}
        parameters[name] = {**parameters[name], "state": moments}
    agent.set_parameters(parameters, device=agent.device)  # type: ignore[arg-type]
    if (log_ent_coef := state["log_ent_coef"]) is not None:
        agent.log_ent_coef.data.copy_(torch.from_numpy(log_ent_coef))  # type: ignore[attr-defined]
    vars(agent).update(state["counters"])


def _log_ent_coef(agent: DeferredReward) -> NDArray[np.float32] | None:
    """The learned weight of the entropy bonus, if the agent learns one."""
    weight: Tensor | None = getattr(agent, "log_ent_coef", None)
    return None if weight is None else weight.numpy(force=True)


def _random_states(agent: OffPolicyAlgorithm) -> dict[str, Any]:
    cuda = torch.cuda.is_available()
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002  # Stable-Baselines3's generator
        "torch": torch.get_rng_state().numpy(),
        "cuda": [s.numpy() for s in torch.cuda.get_rng_state_all()] if cuda else [],
        "actions": agent.action_space.np_random.bit_generator.state,
    }


def _set_random_states(agent: OffPolicyAlgorithm, states: dict[str, Any]) -> None:
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])  # noqa: NPY002
    torch.set_rng_state(torch.from_numpy(states["torch"]))
    if torch.cuda.is_available() and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([torch.from_numpy(s) for s in states["cuda"]])
    agent.action_space.np_random.bit_generator.state = states["actions"]
