"""Training one agent, from the configuration to a policy."""

from __future__ import annotations

import functools
from pathlib import Path

from vlmrm.config import Config, TrainingRun
from vlmrm.envs import make_env
from vlmrm.rendering import make_renderer
from vlmrm.rendering.opengl import draw_on
from vlmrm.rendering.video import film
from vlmrm.rewards.sources import RewardSource
from vlmrm.tasks.oracles import ORACLES
from vlmrm.training.deferred import RING_CALLS, steps_per_call
from vlmrm.training.trainer import Trainer
from vlmrm.training.vec_env.vector_env import VectorEnv


def train(
    run: TrainingRun,
    config: Config,
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
        run: What is trained on what.
        config: Where the task and the agent's settings stand.
        reward: The reward that ``run`` names.
        output: Folder of the results.
        workers: At most how many processes step and draw the environments, by default one per
            core; none for classic control without frames.
        device: Where the agent's networks are.

    Raises:
        Interrupted: A signal asked to stop.
        UserError: ``output`` holds a checkpoint that was written with other settings.
    """
    task = config.tasks[run.task]
    agent = config.training[task.environment].agent
    if task.environment != "humanoid" and not reward.frames_per_call:
        workers = 0  # a step takes less than to tell another process of it
    draw_on(device)
    draw = functools.partial(make_renderer, task.environment, run.scene, config.rendering)
    calls = steps_per_call(reward, agent.n_envs, agent.train_freq)
    env = VectorEnv(
        functools.partial(
            make_env, task.environment, agent.episode_steps, config.paper_code.goal_never_cleared
        ),
        agent.n_envs,
        draw if reward.frames_per_call else None,
        workers,
        slots=RING_CALLS * calls,
        frames_after_reset=config.paper_code.frames_after_reset,
    )
    try:
        oracle = ORACLES[task.oracle] if task.oracle else None
        camera = functools.partial(film, config=config, run=run)
        trainer = Trainer(
            run,
            agent,
            env,
            reward,
            oracle,
            output,
            device,
            config.paper_code,
            camera if config.evaluation.training_videos else None,
        )
        trainer.run()
    finally:
        env.close()
