"""Training one agent, from the configuration to a policy."""

from __future__ import annotations

import functools
from pathlib import Path

from vlmrm.config import TrainingSettings
from vlmrm.envs import make_env
from vlmrm.rendering import make_renderer
from vlmrm.rendering.opengl import draw_on
from vlmrm.rendering.video import write_trajectories
from vlmrm.rewards.sources import RewardSource
from vlmrm.tasks.oracles import ORACLES
from vlmrm.training.deferred import RING_CALLS, steps_per_call
from vlmrm.training.trainer import Trainer
from vlmrm.training.vec_env.vector_env import VectorEnv


def train(
    settings: TrainingSettings,
    reward: RewardSource,
    output: Path,
    workers: int | None = None,
    device: str = "auto",
) -> None:
    """Trains an agent, or continues a training that was interrupted.

    Into ``output`` go ``policy.zip`` (the final policy), ``best.zip`` and ``best-oracle.zip``
    (of the checkpoint with the highest training reward, and with the highest share of timesteps
    that satisfy the oracle, over the latest episodes), ``checkpoints/STEPS.zip`` (the policy at
    every checkpoint), ``videos/STEPS.mp4`` (the latest episode before it), ``learning_curve.csv``
    and ``tensorboard/``.

    On SIGTERM and SIGINT it writes a checkpoint and ends; killed outright, it loses what it did
    since the last one.

    Args:
        settings: The run, its agent, and how its environment is rendered.
        reward: The reward that the run names.
        output: Folder of the results.
        workers: At most how many processes step and draw the environments, by default one per
            core; none for classic control without frames.
        device: Where the agent's networks are.

    Raises:
        Interrupted: A signal asked to stop.
        UserError: ``output`` holds a checkpoint that was written with other settings.
    """
    environment, agent, paper_code = settings.environment, settings.agent, settings.paper_code
    if environment != "humanoid" and not reward.frames_per_call:
        workers = 0  # a step takes less than to tell another process of it
    draw_on(device)
    draw = functools.partial(make_renderer, environment, settings.run.scene, settings.rendering)
    calls = steps_per_call(reward, agent.n_envs, agent.train_freq)
    env = VectorEnv(
        functools.partial(
            make_env, environment, agent.episode_steps, paper_code.goal_never_cleared
        ),
        agent.n_envs,
        draw if reward.frames_per_call else None,
        workers,
        slots=RING_CALLS * calls,
        frames_after_reset=paper_code.frames_after_reset,
    )
    video = None
    if settings.video is not None:
        video = functools.partial(write_trajectories, settings=settings.video)
    try:
        trainer = Trainer(
            settings.run,
            agent,
            env,
            reward,
            ORACLES[settings.oracle] if settings.oracle else None,
            output,
            device,
            paper_code,
            video,
        )
        trainer.run()
    finally:
        env.close()
