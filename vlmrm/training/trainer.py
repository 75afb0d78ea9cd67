"""One training: what is kept of it, and how it goes on whatever interrupts it."""

from __future__ import annotations

import math
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.logger import Logger, TensorBoardOutputFormat
from tqdm import tqdm

from vlmrm.config import DQN, SAC, PaperCode, TrainingRun
from vlmrm.data.files import atomic_path
from vlmrm.errors import UserError
from vlmrm.rewards.sources import RewardSource, Steps
from vlmrm.tasks.oracles import Oracle
from vlmrm.training.algorithms import KINDS, agent_settings
from vlmrm.training.checkpoints import Checkpoint
from vlmrm.training.curve import LOSSES, MEASURES, LearningCurve
from vlmrm.training.deferred import DeferredReward, Observer, TrainingStopped
from vlmrm.training.episodes import LatestEpisode
from vlmrm.training.vec_env.vector_env import VectorEnv

MAX_ROWS = 1000
"""Rows of a learning curve; it has one for each round of updates if there are fewer."""

REQUEUE = 75
"""Exit status of a training that was asked to stop and can be continued (EX_TEMPFAIL)."""

Camera = Callable[[Path, NDArray[np.float64]], None]
"""Films trajectories ``[K, T, D]`` into a file."""


class Interrupted(SystemExit):
    """A checkpoint was written on request; ends the process with status `REQUEUE`."""

    def __init__(self) -> None:
        super().__init__(REQUEUE)


class Trainer(Observer):
    """One training: the agent, and everything that is kept of it."""

    def __init__(
        self,
        run: TrainingRun,
        agent: DQN | SAC,
        env: VectorEnv,
        reward: RewardSource,
        oracle: Oracle | None,
        output: Path,
        device: str = "auto",
        paper_code: PaperCode = PaperCode(),  # noqa: B008  # frozen
        camera: Camera | None = None,
    ):
        self._settings = {
            "run": run.model_dump(),
            "agent": agent.model_dump(),
            "paper_code": paper_code.model_dump(),
        }
        self._config = agent
        self._paper_code = paper_code
        self._camera = camera
        self._episode = LatestEpisode()
        self._env = env
        self._oracle = oracle
        self._output = output
        self._curve = LearningCurve(run, agent.n_envs, agent.algorithm)
        self._best: dict[str, tuple[float, int]] = {}
        self._seconds = 0.0
        self._checkpoint_steps = 0
        self._checkpoint = Checkpoint(output / "checkpoints" / "resume")
        round_steps = agent.train_freq * agent.n_envs
        self._steps = math.ceil(agent.total_timesteps / round_steps) * round_steps
        if self._checkpoint.exists():
            self._agent = self._resume(device)
        else:
            self._agent = self._start(run.seed, device)
        self._agent.attach(reward, observer=self)

    def _start(self, seed: int, device: str) -> DeferredReward:
        for folder in ("checkpoints", "tensorboard", "videos"):
            shutil.rmtree(self._output / folder, ignore_errors=True)
        for name in ("best.zip", "best-oracle.zip", "policy.zip"):
            (self._output / name).unlink(missing_ok=True)
        kind = KINDS[self._config.algorithm]
        settings = agent_settings(self._config)
        if self._paper_code.time_limits_terminate:
            settings["replay_buffer_kwargs"] = {"handle_timeout_termination": False}
        return kind("MlpPolicy", self._env, seed=seed, device=device, **settings)

    def _resume(self, device: str) -> DeferredReward:
        state = self._checkpoint.load()
        if state["settings"] != self._settings:
            raise UserError(
                f"{self._output}: holds a checkpoint of a training with other settings "
                f"({_difference(state['settings'], self._settings)}); restore them, or delete "
                f"{self._output / 'checkpoints'} to start again"
            )
        self._curve = state["curve"]
        self._best = state["best"]
        self._seconds = state["seconds"]
        agent = self._checkpoint.restore(state, KINDS[self._config.algorithm], self._env, device)
        self._checkpoint_steps = agent.num_timesteps
        return agent

    def run(self) -> None:
        """Trains to the end."""
        self._output.mkdir(parents=True, exist_ok=True)
        self._curve.write(self._table)
        tensorboard = TensorBoardOutputFormat(str(self._output / "tensorboard"))
        self._agent.set_logger(Logger(folder=None, output_formats=[tensorboard]))
        self._started = time.perf_counter()
        self._row_started = (self._agent.num_timesteps, self._started)
        self._bar = tqdm(
            total=self._steps,
            initial=self._agent.num_timesteps,
            unit="step",
            desc="train",
            disable=None,
        )
        try:
            with self._bar, _stop_on_signals(self._agent), _subnormals_flushed():
                self._agent.learn(
                    self._steps - self._agent.num_timesteps,
                    reset_num_timesteps=False,
                    log_interval=sys.maxsize,  # `on_round` logs
                )
            self._finish()
        except TrainingStopped:
            self._save_checkpoint()
            raise Interrupted from None
        finally:
            tensorboard.close()

    @property
    def _table(self) -> Path:
        return self._output / "learning_curve.csv"

    def on_steps(self, steps: Steps, rewards: NDArray[np.float32]) -> None:
        satisfied = None
        if self._oracle:
            states = steps.states.reshape(-1, steps.states.shape[-1])
            satisfied = self._oracle(states).reshape(rewards.shape)
        self._episode.add(steps.states[:, 0], steps.dones[:, 0])
        self._curve.add(rewards, satisfied, steps.environment_rewards, steps.dones)
        self._bar.update(rewards.size)

    def on_round(self) -> None:
        steps = self._agent.num_timesteps
        if steps - self._curve.steps >= max(self._config.total_timesteps // MAX_ROWS, 1):
            self._end_row()
        if steps - self._checkpoint_steps >= self._config.save_freq:
            self._save_policies()
            self._film()
            self._save_checkpoint()

    def _end_row(self) -> None:
        steps, now = self._agent.num_timesteps, time.perf_counter()
        logged = self._agent.logger.name_to_value
        names = LOSSES[self._config.algorithm]
        losses = {c: float(logged[name]) for c, name in names.items() if name in logged}
        rate = (steps - self._row_started[0]) / (now - self._row_started[1])
        self._row_started = (steps, now)
        row = self._curve.end_row(steps, self._seconds + now - self._started, rate, losses)
        self._curve.append_last(self._table)
        shown = {name: row[name] for name in MEASURES if row[name] is not None}
        for name, value in {**shown, "frames_per_second": rate}.items():
            self._agent.logger.record(f"rollout/{name}", value)
        self._agent.logger.dump(steps)
        self._bar.set_postfix({name: f"{value:.3f}" for name, value in shown.items()})

    def _save_policies(self) -> None:
        """The policy of this moment, and those of the best moments so far."""
        steps = self._agent.num_timesteps
        self._save_policy(self._policy_at(steps))
        for name, score in self._curve.recent.items():
            if score > self._best.get(name, (-math.inf, 0))[0]:
                self._best[name] = (score, steps)
                self._copy_best(name)

    def _film(self) -> None:
        episode = self._episode.take()
        if self._camera and episode is not None:
            path = self._output / "videos" / f"{self._agent.num_timesteps:09}.mp4"
            self._camera(path, episode[None])

    def _policy_at(self, steps: int) -> Path:
        return self._output / "checkpoints" / f"{steps:09}.zip"

    def _copy_best(self, name: str) -> None:
        best = self._output / ("best.zip" if name == "reward" else "best-oracle.zip")
        _, steps = self._best[name]
        with atomic_path(best) as temporary:
            shutil.copyfile(self._policy_at(steps), temporary)

    def _save_policy(self, path: Path) -> None:
        with atomic_path(path) as temporary:
            self._agent.save(temporary)

    def _save_checkpoint(self) -> None:
        self._checkpoint.save(
            self._agent,
            self._env,
            settings=self._settings,
            curve=self._curve,
            best=self._best,
            seconds=self._seconds + time.perf_counter() - self._started,
        )
        self._checkpoint_steps = self._agent.num_timesteps

    def _finish(self) -> None:
        if self._agent.num_timesteps > self._curve.steps:
            self._end_row()
        self._save_policies()
        for name in self._best:
            self._copy_best(name)  # a scheduler removes the outputs of a job that it restarts
        if "reward" not in self._best:
            # No episode came to its end.
            self._save_policy(self._output / "best.zip")
        self._save_policy(self._output / "policy.zip")
        self._checkpoint.remove()


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The first setting that differs, as 'key: old, now new'."""
    for part, settings in new.items():
        for key, value in settings.items():
            if key not in old[part] or old[part][key] != value:
                return f"{part}.{key} was {old[part].get(key)}, now {value}"
    return "a setting no longer exists"


@contextmanager
def _subnormals_flushed() -> Iterator[None]:
    """Moments of Adam that belong to dead units decay into subnormal numbers: many times slower."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def _stop_on_signals(agent: DeferredReward) -> Iterator[None]:
    """SIGTERM (a scheduler's warning) and SIGINT (Ctrl-C) let the agent stop at the next step."""

    def request_stop(number: int, frame: object) -> None:
        agent.stop_requested = True

    previous = {
        number: signal.signal(number, request_stop) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
