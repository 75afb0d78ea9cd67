"""Evaluates policies with the oracle, which agents never see."""

from __future__ import annotations

import functools
import io
import itertools
import json
import os
import pickle
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from vlmrm.config import DQN, SAC, SCENES, TrainingRun
from vlmrm.config.settings import EvaluationSettings, PlaySettings
from vlmrm.data.files import reading, require_file
from vlmrm.envs import make_env
from vlmrm.errors import UserError
from vlmrm.tasks.oracles import find_oracle
from vlmrm.terminal.bars import bar
from vlmrm.training.algorithms import make_player
from vlmrm.training.policies import load_weights
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

Policy = Callable[[NDArray[np.float32]], NDArray[Any]]
"""Observations ``[N, ...]`` to actions ``[N, ...]``."""


class Episode(NamedTuple):
    """An episode of one environment: states ``[T, D]`` after each step, its own rewards ``[T]``."""

    states: NDArray[np.float64]
    rewards: NDArray[np.float64]


@dataclass(frozen=True)
class Played:
    """What happened in K environments; each goes on with a new episode where one ends."""

    states: NDArray[np.float64]
    """States ``[K, T, D]`` after each step."""
    rewards: NDArray[np.float64]
    """The environments' own rewards ``[K, T]``."""
    dones: NDArray[np.bool_]
    """Whether an episode ended with the step, ``[K, T]``."""

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Number of steps of the first episode of each environment, ``[K]``."""
        steps = self.dones.shape[1]
        return np.where(self.dones.any(axis=1), self.dones.argmax(axis=1) + 1, steps)

    def first(self, environment: int) -> Episode:
        """The first episode of an environment."""
        steps = slice(self.lengths[environment])
        return Episode(self.states[environment, steps], self.rewards[environment, steps])


def evaluate(
    policy: str | os.PathLike[str] | None,
    settings: EvaluationSettings,
    workers: int | None = None,
) -> tuple[pd.DataFrame, Played]:
    """Runs a policy without exploration noise, and judges the state after each step.

    Args:
        policy: File of a trained policy; None for uniformly random actions.
        settings: The environment and its oracle, the number of trajectories, and the seed: the
            initial state of trajectory i comes from ``seed + i``.
        workers: Maximum number of processes that step the environments, by default one per core;
            none for classic control.

    Returns:
        One row per trajectory (trajectory, steps, success_fraction, success,
        ground_truth_return; success is missing without an oracle), and what happened.

    Raises:
        UserError: The file does not contain a policy of this agent.
    """
    played = play(policy, settings, settings.trajectories, settings.seed, workers)
    return judge(played, settings), played


def with_run(table: pd.DataFrame, run: TrainingRun) -> pd.DataFrame:
    """Inserts the fields of a run as the first columns of a table."""
    for position, (name, value) in enumerate(run):
        table.insert(position, name, value)
    return table


def play(
    policy: str | os.PathLike[str] | None,
    settings: PlaySettings,
    trajectories: int,
    seed: int,
    workers: int | None = None,
    explore: bool = False,
) -> Played:
    """Runs a policy for the length of an episode in each of several environments.

    Args:
        policy: File of a trained policy; None for uniformly random actions.
        settings: The environment, the length of its episodes, and the agent.
        trajectories: Number of environments.
        seed: The initial state of environment i comes from ``seed + i``.
        workers: As in `evaluate`.
        explore: Whether to sample actions as in training.

    Raises:
        UserError: The file does not contain a policy of this agent.
    """
    if settings.environment in SCENES and settings.environment != "humanoid":
        workers = 0  # a step takes less time than a message to another process
    with opened(policy, settings, trajectories, seed, workers, explore) as (env, act):
        env.seed(seed)
        observations = env.reset()
        states, rewards, dones = [], [], []
        for _ in bar(range(settings.episode_steps), unit="step", desc="evaluate"):
            observations, reward, done, _ = env.step(act(observations))  # type: ignore[assignment]
            states.append(env.states)
            rewards.append(reward.astype(np.float64))
            dones.append(done)
    return Played(*(np.stack(part, axis=1) for part in (states, rewards, dones)))


@contextmanager
def opened(
    policy: str | os.PathLike[str] | None,
    settings: PlaySettings,
    count: int,
    seed: int,
    workers: int | None = None,
    explore: bool = False,
    live_frames: bool = False,
) -> Iterator[tuple[VectorEnv, Policy]]:
    """Environments and the policy that acts in them, for the block; arguments as for `play`."""
    make = functools.partial(
        make_env, settings.environment, settings.episode_steps, own=settings.own
    )
    with closing(VectorEnv(EnvSpec(make, count, live_frames=live_frames), workers)) as env:
        if policy is None:
            yield env, _random(env, seed)
        else:
            assert settings.agent is not None
            yield env, _trained(Path(policy), settings.agent, env, explore, seed)


def judge(played: Played, settings: EvaluationSettings) -> pd.DataFrame:
    """The table of `evaluate`, for the first episode in each environment.

    Where it ends early, the last verdict counts for the missing steps: to fall is no success.
    """
    count, _, size = played.states.shape
    lengths = played.lengths
    counted = np.arange(played.rewards.shape[1]) < lengths[:, None]
    table = pd.DataFrame(
        {
            "trajectory": np.arange(count),
            "steps": lengths,
            "success_fraction": np.nan,
            "success": pd.array([pd.NA] * count, dtype="boolean"),
            "ground_truth_return": np.where(counted, played.rewards, 0).sum(axis=1),
        }
    )
    if settings.oracle:
        oracle = find_oracle(settings.oracle, settings.own)
        every = oracle(played.states.reshape(-1, size)).reshape(counted.shape)
        steps = np.minimum(np.arange(settings.episode_steps), lengths[:, None] - 1)
        satisfied = np.take_along_axis(every, steps, axis=1)
        table["success_fraction"] = satisfied.mean(axis=1)
        table["success"] = [oracle.trajectory_success(verdicts) for verdicts in satisfied]
    return table


def _random(env: VectorEnv, seed: int) -> Policy:
    env.action_space.seed(seed)
    return lambda observations: np.stack([env.action_space.sample() for _ in observations])


def _trained(path: Path, settings: DQN | SAC, env: VectorEnv, explore: bool, seed: int) -> Policy:
    """The policy of a configured agent with the weights of a file, which runs no code."""
    require_file(path)
    # PyTorch warns of unusual files, and Stable-Baselines3 of intervals of training.
    with warnings.catch_warnings(action="ignore"), reading(path, "name another policy"):
        with zipfile.ZipFile(path) as archive:
            values = json.loads(archive.read("data"))
            content = io.BytesIO(archive.read("policy.pth"))
        try:
            weights = torch.load(content, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise UserError(
                f"{path}: is not opened, because it contains more than weights and could run code; "
                "name another policy"
            ) from error
        agent = make_player(settings, env, int(values["seed"] or 0))
        try:
            # The one setting that changes what weights compute, but not their shapes.
            symlog = "Symlog" in str(values["policy_kwargs"].get("features_extractor_class"))
            if symlog != (settings.algorithm == "sac" and settings.symlog_observations):
                raise ValueError(f"it has symlog_observations: {str(symlog).lower()}")
            load_weights(agent.policy, weights)
        except ValueError as error:
            raise UserError(
                f"{path}: no policy of the configured {settings.algorithm} agent ({error}); name "
                "the configuration of its training, or another policy"
            ) from error
        if settings.algorithm == "dqn":
            vars(agent)["exploration_rate"] = float(values["exploration_rate"])
    agent.set_random_seed(seed)
    steps = itertools.count()

    def act(observations: NDArray[np.float32]) -> NDArray[Any]:
        of_round = next(steps) % settings.train_freq
        if explore and settings.algorithm == "sac" and settings.use_sde and not of_round:
            agent.actor.reset_noise(env.num_envs)  # type: ignore[operator]
        return agent.predict(observations, deterministic=not explore)[0]

    return act
