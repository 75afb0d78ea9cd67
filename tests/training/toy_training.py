"""Trainings of the toy."""

import io
import os
import shutil
import signal
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from stable_baselines3 import DQN as StableDQN
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.toy import Printer, reward_of_frames, slider
from vlmrm.config import TrainingRun
from vlmrm.rewards.steps import FrameReward
from vlmrm.tasks.oracles import Oracle, below
from vlmrm.training.deferred import RING_CALLS, steps_per_call
from vlmrm.training.run import learn
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

RUN = TrainingRun(task="toy", scene="none", reward_source="frames", scoring="alpha-0", seed=1)
NEAR_ZERO = Oracle("cartpole", lambda states: below(np.abs(states[:, 0]), 0.5, 1))


def train_toy(output, agent, reward=reward_of_frames, run=RUN, workers=0, source=None, **settings):
    source = source or FrameReward(reward, frames_per_call=6)
    spec = EnvSpec(
        slider(discrete=agent.algorithm == "dqn"),
        agent.n_envs,
        Printer,
        RING_CALLS * steps_per_call(source, agent.n_envs, agent.train_freq),
    )
    env = VectorEnv(spec, workers)
    try:
        learn(run, agent, env, source, NEAR_ZERO, output, "cpu", **settings)
    finally:
        env.close()
    return curve(output)


def curve(output):
    table = pd.read_csv(output / "learning_curve.csv")
    return table.drop(columns=["wall_seconds", "frames_per_second"])


def logged_steps(output):
    """Steps of a curve in TensorBoard, which reads files in the order of their seconds."""
    files = sorted((output / "tensorboard").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(files):
            shutil.copyfile(path, Path(folder, f"events.out.tfevents.{number:06}"))
        events = EventAccumulator(folder).Reload().Scalars("rollout/training_reward")
    return [event.step for event in events]


def at_call(number, action, reward_of_frames=reward_of_frames):
    """The toy's reward, or another, but something happens at a call, once."""
    calls = 0

    def reward(frames):
        nonlocal calls
        calls += 1
        if calls == number:
            action()
        return reward_of_frames(frames)

    return reward


def crash():
    raise KeyboardInterrupt("power cut")


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def hang_up():
    os.kill(os.getpid(), signal.SIGHUP)


def policy_weights(path):
    return {k: v.numpy() for k, v in StableDQN.load(path, device="cpu").policy.state_dict().items()}


def weights_of(path):
    """Weights in a policy's file."""
    with zipfile.ZipFile(path) as archive:
        return torch.load(io.BytesIO(archive.read("policy.pth")), weights_only=True)


def spoil_weights(path, value):
    """Replaces a weight of a policy's file."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    weights = weights_of(path)
    next(iter(weights.values())).view(-1)[0] = value
    content = io.BytesIO()
    torch.save(weights, content)
    parts["policy.pth"] = content.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
