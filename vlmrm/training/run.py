"""Trains one agent, from the configuration to a policy."""

from __future__ import annotations

import functools
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from stable_baselines3.common.logger import Logger

from vlmrm.config import (
    DQN,
    SAC,
    SCENES,
    PaperCode,
    TrainingRun,
)
from vlmrm.config.settings import TrainingSettings
from vlmrm.data.files import LOCK, one_writer
from vlmrm.envs import make_env
from vlmrm.errors import UserError, one_line, shorten
from vlmrm.machine.gpus import check_device
from vlmrm.rendering.opengl import render_on
from vlmrm.rendering.views import make_views
from vlmrm.rewards.steps import RewardSource
from vlmrm.tasks.oracles import Oracle, find_oracle
from vlmrm.terminal.bars import bar
from vlmrm.training.algorithms import ALGORITHMS, agent_settings, make_agent
from vlmrm.training.callbacks import (
    CheckpointCallback,
    LearningCurveCallback,
    PolicyCallback,
    StopOnSignalCallback,
    TensorBoard,
    VideoCallback,
    VideoWriter,
)
from vlmrm.training.checkpoints import Checkpoint
from vlmrm.training.curve import LearningCurve
from vlmrm.training.deferred import RING_CALLS, DeferredReward, steps_per_call
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv
from vlmrm.training.videos import record_episode

MAX_ROWS = 1000
"""Maximum number of rows of a learning curve; at most one per round of updates."""

REQUEUE = 75
"""Exit status of a training that was stopped and can be continued (EX_TEMPFAIL)."""


NEW_EPISODES = "cannot be saved in the middle of an episode, so the training goes on with new ones"
"""What a training says that goes on in environments of unknown state."""

LOGGER = logging.getLogger("vlmrm")


class Interrupted(SystemExit):
    """A signal stopped the training, after a checkpoint; exits with status `REQUEUE`."""

    def __init__(self) -> None:
        super().__init__(REQUEUE)


def train(
    settings: TrainingSettings,
    reward: RewardSource,
    output: Path,
    workers: int | None = None,
    device: str = "auto",
    checksums: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Trains an agent, or continues a training that was interrupted.

    Writes to ``output``: ``policy.zip`` (the final policy), ``best.zip`` and ``best-oracle.zip``
    (the checkpoints with the highest training reward and with the highest share of timesteps that
    satisfy the oracle, over the latest episodes), ``checkpoints/STEPS.zip`` (the policy at every
    checkpoint), ``videos/STEPS.mp4`` (the latest episode before it), ``learning_curve.csv``, and
    ``tensorboard/``.

    On SIGTERM, SIGINT, or SIGHUP, it writes a checkpoint and exits. If killed, it loses only the
    progress since the last checkpoint.

    Args:
        settings: The run, its agent, and how its environment is rendered.
        reward: Reward source of the run.
        output: Folder of the results.
        workers: Maximum number of processes that step and render the environments, by default one
            per core; none for classic control without frames.
        device: Device of the agent's networks.
        checksums: Of what the reward was read from, by name. A training that goes on needs the
            same; see `reward_checksums`.

    Raises:
        Interrupted: A signal stopped the training.
        UserError: Another process writes to ``output``; it contains a finished training, a
            checkpoint with other settings, or a damaged one; or the training diverges.
    """
    environment, agent, paper_code = settings.environment, settings.agent, settings.paper_code
    if environment in SCENES and environment != "humanoid" and not reward.frames_per_call:
        workers = 0  # a step takes less time than a message to another process
    check_device(device)
    render_on(device)
    render = functools.partial(make_views, environment, settings.scenes, settings.rendering)
    spec = EnvSpec(
        functools.partial(
            make_env,
            environment,
            agent.episode_steps,
            paper_code.goal_never_cleared,
            settings.own,
        ),
        agent.n_envs,
        render if reward.frames_per_call and not settings.own else None,
        slots=RING_CALLS * steps_per_call(reward, agent.n_envs, agent.train_freq),
        frames_after_reset=paper_code.frames_after_reset,
        live_frames=bool(reward.frames_per_call and settings.own),
    )
    oracle = find_oracle(settings.oracle, settings.own) if settings.oracle else None
    write_video = None
    if settings.video is not None:
        write_video = functools.partial(record_episode, settings=settings, oracle=oracle)
    with closing(VectorEnv(spec, workers)) as env:
        learn(
            settings.run,
            agent,
            env,
            reward,
            oracle,
            output,
            device,
            paper_code,
            write_video,
            {
                "environment": settings.own.model_dump(mode="json") if settings.own else {},
                "reward": settings.reward(),
                "checksums": dict(checksums),
            },
        )


def learn(
    run: TrainingRun,
    agent: DQN | SAC,
    env: VectorEnv,
    reward: RewardSource,
    oracle: Oracle | None,
    output: Path,
    device: str = "auto",
    paper_code: PaperCode = PaperCode(),  # noqa: B008  # frozen
    write_video: VideoWriter | None = None,
    identity: Mapping[str, Any] | None = None,
) -> None:
    """Trains an agent in given environments, as `train` does.

    Args:
        run: The run, for the learning curve.
        agent: Settings of the agent.
        env: The environments.
        reward: Computes the rewards.
        oracle: Oracle of the task, if it has one.
        output: Folder of the results.
        device: Device of the agent's networks.
        paper_code: Bugs of the paper's code to restore.
        write_video: Writes the videos; None for no videos.
        identity: What else must be the same in a training that goes on; None for nothing.

    Raises:
        Interrupted: A signal stopped the training.
        UserError: As `train`.
    """
    _check_output(output)
    with one_writer(output):
        checkpoint = Checkpoint(output / "checkpoints" / "resume")
        settings = {
            "run": run.model_dump(),
            "agent": agent.model_dump(),
            "paper_code": paper_code.model_dump(),
            **(identity or {}),
        }
        state = _continued(output, checkpoint, settings)
        model = _new_agent(agent, env, run.seed, device, paper_code)
        algorithm = ALGORITHMS[agent.algorithm]
        learning_curve = LearningCurve(run, agent.n_envs, algorithm.losses)
        if state:
            checkpoint.restore(state, model)
            learning_curve.state = state["curve"]
            reward.state = state["reward"]
            if state["environments"] is None:
                reward.state = None  # its past belongs to episodes that do not go on
                learning_curve.forget_episodes()
                LOGGER.warning("environments: %s", NEW_EPISODES)
        model.attach(reward)
        total, done = agent.whole_timesteps, model.num_timesteps
        with (
            closing(TensorBoard(output / "tensorboard", done)) as tensorboard,
            bar(total=total, initial=done, unit="step", desc="train") as steps,
            StopOnSignalCallback() as stop,
            _subnormals_flushed(),
        ):
            curve = LearningCurveCallback(
                learning_curve,
                output / "learning_curve.csv",
                steps,
                algorithm.losses,
                oracle,
                max(agent.total_timesteps // MAX_ROWS, 1),
                state.get("seconds", 0.0),
            )
            save_freq = agent.whole_save_freq
            policies = PolicyCallback(output, save_freq, learning_curve, state.get("best", {}))
            videos = (
                [VideoCallback(output / "videos", save_freq, write_video)] if write_video else []
            )
            checkpoints = CheckpointCallback(
                checkpoint,
                save_freq,
                lambda: {
                    "settings": settings,
                    "curve": learning_curve.state,
                    "reward": reward.state,
                    "best": policies.best,
                    "seconds": curve.seconds,
                },
            )
            model.set_logger(Logger(folder=None, output_formats=[tensorboard]))
            # The policies come after the videos: with policy.zip, a training is finished.
            model.learn(
                total - done,
                [curve, *videos, policies, checkpoints, stop],
                reset_num_timesteps=False,
            )
    if not model.finished:
        raise Interrupted


def _continued(output: Path, checkpoint: Checkpoint, settings: dict[str, Any]) -> dict[str, Any]:
    """The state of an interrupted training; empty for a new one, which starts in an empty folder.

    Raises:
        UserError: As `learn`.
    """
    if (output / "policy.zip").exists():
        checkpoint.remove()  # The training was killed before it could.
        raise UserError(
            f"{output}: contains a finished training; delete its policy.zip to train again, or "
            "give another folder"
        )
    if not checkpoint.exists():
        _delete_results(output)
        return {}
    state = checkpoint.load()
    if state["settings"] != settings:
        raise UserError(
            f"{output}: contains a checkpoint of a training with other settings "
            f"({_difference(state['settings'], settings)}); restore them, or delete "
            f"{output / 'checkpoints'} to start again"
        )
    return state


def _check_output(output: Path) -> None:
    """Checks that what a new training would delete was written by another one.

    Raises:
        UserError: A file is somebody else's.
    """
    if (output / LOCK).exists() or (output / "learning_curve.csv").exists():
        return
    for path in _results(output):
        if path.exists():
            raise UserError(f"{path}: was written by no training; give another folder")


def _delete_results(output: Path) -> None:
    """Deletes what an earlier training has left.

    Raises:
        UserError: Something stays, which this training would take for its own.
    """
    for path in _results(output):
        # A folder may be a link to one on another disk, and stays that.
        for part in path.iterdir() if path.is_dir() else [path]:
            shutil.rmtree(part, ignore_errors=True)
            with suppress(OSError):
                part.unlink(missing_ok=True)
        # Network disks keep files that somebody reads, under hidden names.
        for left in (path, *path.rglob("[!.]*")):
            if left.is_file():
                raise UserError(
                    f"{left}: belongs to an earlier training and cannot be deleted; change its "
                    "permissions, or give another folder"
                )


def _results(output: Path) -> list[Path]:
    names = ("checkpoints", "tensorboard", "videos", "best.zip", "best-oracle.zip", "policy.zip")
    return [output / name for name in names]


def _new_agent(
    agent: DQN | SAC, env: VectorEnv, seed: int, device: str, paper_code: PaperCode
) -> DeferredReward:
    buffer = agent_settings(agent)["replay_buffer_kwargs"]
    if paper_code.time_limits_terminate:
        buffer["handle_timeout_termination"] = False
    try:
        return make_agent(agent, env, seed, device, replay_buffer_kwargs=buffer)
    except MemoryError as error:
        raise UserError(f"buffer_size: {one_line(error)}; choose a smaller value") from error


def _difference(old: dict[str, Any], new: dict[str, Any], key: str = "") -> str:
    """Describes the first setting that differs."""
    for name in {**new, **old}:
        before, now = old.get(name), new.get(name)
        if before == now:
            continue
        if isinstance(before, dict) and isinstance(now, dict):
            return _difference(before, now, f"{key}{name}.")
        return shorten(f"{key}{name} was {before}, now {now}")
    return "a setting that is empty now"


@contextmanager
def _subnormals_flushed() -> Iterator[None]:
    """Treats subnormal numbers as 0. Adam's moments of dead units decay to them, which is slow."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
