"""Callbacks of a training: learning curve, policies, videos, checkpoints, and stop on a signal.

They act at the start of a round, in their order in the list: after the updates of the previous
round and before the first step. A training that is stopped or killed can therefore continue as if
it had never stopped.
"""

from __future__ import annotations

import logging
import math
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import TensorBoardOutputFormat
from torch.utils.tensorboard.writer import SummaryWriter
from tqdm import tqdm

from vlmrm.data.files import atomic_path
from vlmrm.errors import one_line
from vlmrm.tasks.oracles import Oracle
from vlmrm.training.checkpoints import Checkpoint
from vlmrm.training.curve import MEANS, LearningCurve
from vlmrm.training.deferred import DeferredReward
from vlmrm.training.vec_env.worker import STOP_SIGNALS

VideoWriter = Callable[[Path, NDArray[np.float64], NDArray[np.float32]], None]
"""Writes a video of an episode to a file ``STEPS.mp4``: states ``[T, D]``, rewards ``[T]``."""

LOGGER = logging.getLogger("vlmrm")


class DeferredCallback(BaseCallback):
    """A callback of an agent whose rewards are deferred."""

    model: DeferredReward

    def _on_step(self) -> bool:
        return True


class TensorBoard(TensorBoardOutputFormat):
    """Writes events for TensorBoard, which forgets those after the step from which they go on."""

    def __init__(self, folder: Path, done: int):
        self.writer = SummaryWriter(str(folder), purge_step=done + 1)
        self._is_closed = False


class LearningCurveCallback(DeferredCallback):
    """Writes the learning curve as a table and to TensorBoard, and updates the progress bar.

    Args:
        curve: The learning curve, with the rows from before an interruption.
        path: Output file of the table.
        bar: Progress bar, in steps.
        losses: Columns of the algorithm's losses, and their keys in the logger.
        oracle: Oracle of the task; None leaves its column empty.
        min_steps: Minimum number of steps in a row.
        seconds: Duration of the training before an interruption.
    """

    def __init__(
        self,
        curve: LearningCurve,
        path: Path,
        bar: tqdm[Any],
        losses: dict[str, str],
        oracle: Oracle | None,
        min_steps: int,
        seconds: float,
    ):
        super().__init__()
        self.curve = curve
        self._path = path
        self._bar = bar
        self._losses = losses
        self._oracle = oracle
        self._min_steps = min_steps
        self._started = time.perf_counter() - seconds

    @property
    def seconds(self) -> float:
        """Duration of the training, without interruptions."""
        return time.perf_counter() - self._started

    def _on_training_start(self) -> None:
        self.curve.write(self._path)
        self._row_started = (self.num_timesteps, time.perf_counter())

    def _on_rollout_start(self) -> None:
        if self.model.num_timesteps - self.curve.steps >= self._min_steps:
            self._end_row()

    def _on_step(self) -> bool:
        self._bar.update(self.model.n_envs)
        return True

    def _on_rollout_end(self) -> None:
        for steps, rewards in self.model.rewarded:
            satisfied = None
            if self._oracle:
                states = steps.states.reshape(-1, steps.states.shape[-1])
                satisfied = self._oracle(states).reshape(rewards.shape)
            self.curve.add(rewards, satisfied, steps.environment_rewards, steps.dones)

    def _on_training_end(self) -> None:
        if self.model.finished and self.model.num_timesteps > self.curve.steps:
            self._end_row()

    def _end_row(self) -> None:
        steps, now = self.model.num_timesteps, time.perf_counter()
        logged = self.logger.name_to_value
        losses = {c: float(logged[key]) for c, key in self._losses.items() if key in logged}
        rate = (steps - self._row_started[0]) / (now - self._row_started[1])
        self._row_started = (steps, now)
        row = self.curve.end_row(steps, self.seconds, rate, losses)
        self.curve.write(self._path)  # whole: an error of a full disk names it
        means = {name: row[name] for name in MEANS if row[name] is not None}
        for name, value in {**means, "frames_per_second": rate}.items():
            self.logger.record(f"rollout/{name}", value)
        self.logger.dump(steps)
        self._bar.set_postfix({name: f"{value:.3f}" for name, value in means.items()})


class SaveCallback(DeferredCallback):
    """Saves something at the start of a round, every ``save_freq`` steps, and at the end.

    Args:
        save_freq: Steps between two saves, in whole rounds.
    """

    def __init__(self, save_freq: int):
        super().__init__()
        self._save_freq = save_freq

    def _on_rollout_start(self) -> None:
        # Depends only on the number of steps, so interruptions do not shift it. Before the first
        # step, the checkpoint of this moment has just been loaded.
        if self.n_calls and self.model.num_timesteps % self._save_freq == 0:
            self._save()

    def _save(self) -> None:
        raise NotImplementedError


class PolicyCallback(SaveCallback):
    """Saves policies: ``checkpoints/STEPS.zip``, the best ones, and at the end ``policy.zip``.

    ``best.zip`` and ``best-oracle.zip`` have the highest scores over the latest episodes.

    Args:
        output: Folder of the results.
        save_freq: Steps between two policies.
        curve: Learning curve, which scores the policies.
        best: Of the best policies so far, the scores, the steps, and whether enough episodes had
            ended to score them.
    """

    def __init__(
        self,
        output: Path,
        save_freq: int,
        curve: LearningCurve,
        best: dict[str, tuple[float, int, bool]],
    ):
        super().__init__(save_freq)
        # Older checkpoints have two values.
        self.best = {name: (*values, True)[:3] for name, values in best.items()}
        self._output = output
        self._curve = curve

    def _save(self) -> None:
        steps = self.model.num_timesteps
        self._save_policy(self._checkpoint(steps))
        enough = self._curve.has_enough_episodes
        for name, score in self._curve.recent.items():
            best, _, by_enough = self.best.get(name, (-math.inf, 0, False))
            # A few lucky episodes at the start are no match for what is learned later.
            if not math.isnan(score) and (enough, score) > (by_enough, best):
                self.best[name] = (score, steps, enough)
                self._copy_best(name)

    def _on_training_end(self) -> None:
        if not self.model.finished:
            return
        self._save()
        for name in self.best:
            self._copy_best(name)  # Snakemake deletes the outputs of a job that it restarts.
        if "reward" not in self.best:  # No episode has ended.
            self._save_policy(self._output / "best.zip")
        self._save_policy(self._output / "policy.zip")

    def _checkpoint(self, steps: int) -> Path:
        return self._output / "checkpoints" / f"{steps:09}.zip"

    def _save_policy(self, path: Path) -> None:
        with atomic_path(path) as temporary:
            self.model.save(temporary)

    def _copy_best(self, name: str) -> None:
        _, steps, _ = self.best[name]
        best = self._output / ("best.zip" if name == "reward" else "best-oracle.zip")
        with atomic_path(best) as temporary:
            shutil.copyfile(self._checkpoint(steps), temporary)


class VideoCallback(SaveCallback):
    """Writes a video of the latest episode of the first environment, if one has ended since.

    A video that fails is a warning, and the training goes on.

    Args:
        folder: Output folder of the videos ``STEPS.mp4``.
        save_freq: Steps between two videos.
        write_video: Writes a video.
    """

    def __init__(self, folder: Path, save_freq: int, write_video: VideoWriter):
        super().__init__(save_freq)
        self._folder = folder
        self._write_video = write_video
        self._whole = True
        """Whether the running episode is there from its beginning."""
        self._episode: list[tuple[NDArray[np.float64], np.float32]] = []
        self._latest: list[tuple[NDArray[np.float64], np.float32]] = []

    def _on_training_start(self) -> None:
        self._whole = self.model.num_timesteps == 0

    def _on_rollout_end(self) -> None:
        for steps, rewards in self.model.rewarded:
            of_first = (steps.states[:, 0], rewards[:, 0], steps.dones[:, 0])
            for state, reward, done in zip(*of_first, strict=True):
                self._episode.append((state, reward))
                if done:
                    if self._whole:
                        self._latest = self._episode
                    self._whole, self._episode = True, []

    def _save(self) -> None:
        if self._latest:
            path = self._folder / f"{self.model.num_timesteps:09}.mp4"
            states, rewards = zip(*self._latest, strict=True)
            try:
                self._write_video(path, np.stack(states), np.array(rewards))
            except Exception as error:
                # Videos are by the way. A disk that is full fails the policy that comes next, too.
                LOGGER.warning("%s: not written (%s)", path, one_line(error), exc_info=True)
            self._latest = []

    def _on_training_end(self) -> None:
        if self.model.finished:
            self._save()


class CheckpointCallback(SaveCallback):
    """Saves checkpoints from which an interrupted training continues; removes the last at the end.

    Args:
        checkpoint: The checkpoint.
        save_freq: Steps between two checkpoints.
        state: Returns more values to save with the agent and its environments.
    """

    def __init__(self, checkpoint: Checkpoint, save_freq: int, state: Callable[[], dict[str, Any]]):
        super().__init__(save_freq)
        self._checkpoint = checkpoint
        self._state = state

    def _save(self) -> None:
        self._checkpoint.save(self.model, **self._state())

    def _on_training_end(self) -> None:
        if self.model.finished:
            self._checkpoint.remove()
        else:
            self._save()


class StopOnSignalCallback(DeferredCallback):
    """Stops the training after one of the `STOP_SIGNALS`, unless nohup has it ignore SIGHUP.

    Use it as a context manager, which handles the signals until it exits.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stopping = False

    def __enter__(self) -> StopOnSignalCallback:
        ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        self._previous = {
            number: signal.signal(number, self._stop)
            for number in STOP_SIGNALS
            if not (ignored and number == signal.SIGHUP)
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True

    def _on_rollout_start(self) -> None:
        self.model.stop_requested = self._stopping

    def _on_step(self) -> bool:
        return not self._stopping
