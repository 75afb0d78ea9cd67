"""Plain implementations of the pipeline's parts, as references for its speed."""

from __future__ import annotations

import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL import Image
from stable_baselines3 import SAC
from stable_baselines3.common.env_util import make_vec_env

from vlmrm.config import SAC as Agent
from vlmrm.models.clip import choose_device

STEPS = 200


def gymnasium_frames(size: int = 224, count: int = 24) -> float:
    """Frames per second of Gymnasium's own rendering of the humanoid."""
    env = gym.make("Humanoid-v5", render_mode="rgb_array", width=size, height=size)
    env.reset(seed=0)
    env.render()
    start = time.perf_counter()
    for _ in range(count):
        env.render()
    rate = count / (time.perf_counter() - start)
    env.close()
    return rate


def gymnasium_steps(count: int = STEPS) -> float:
    """Steps per second of one environment in this process."""
    env = gym.make("Humanoid-v5", terminate_when_unhealthy=False)
    env.reset(seed=0)
    start = time.perf_counter()
    for _ in range(count):
        env.step(env.action_space.sample())
    rate = count / (time.perf_counter() - start)
    env.close()
    return rate


class PlainReward:
    """open_clip as documented: its own transform of each image, `encode_image` in float32."""

    def __init__(self, model: Path, goal: str, batch_size: int = 64):
        identifier = f"local-dir:{model}"
        self._network, _, self._transform = open_clip.create_model_and_transforms(identifier)
        self._device = choose_device("auto")
        self._network.eval().to(self._device)
        self._batch_size = batch_size
        with torch.no_grad():
            tokens = open_clip.get_tokenizer(identifier)([goal]).to(self._device)
            self._goal = self._network.encode_text(tokens, normalize=True)[0]

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Cosine similarities ``[N]`` of uint8 frames ``[N, H, W, 3]`` with the goal."""
        rewards = []
        with torch.no_grad():
            for start in range(0, len(frames), self._batch_size):
                batch = frames[start : start + self._batch_size]
                images = torch.stack([self._transform(Image.fromarray(frame)) for frame in batch])
                embeddings = self._network.encode_image(images.to(self._device), normalize=True)
                rewards.append((embeddings @ self._goal).cpu().numpy())
        return np.concatenate(rewards)


class PlainLoop:
    """Training as in the paper's code, one step after another.

    Episodes are rolled out with Gymnasium's rendering at 480 pixels, then rewarded, then learned
    from. A call returns environment steps per second.
    """

    def __init__(self, agent: Agent, reward: PlainReward, steps: int = 48):
        self._agent = agent
        self._reward = reward
        self._steps = steps

    def __call__(self) -> float:
        agent = self._agent
        env = make_vec_env(
            "Humanoid-v5",
            n_envs=1,
            env_kwargs={"render_mode": "rgb_array", "width": 480, "height": 480},
        )
        learner = SAC(
            "MlpPolicy",
            env,
            batch_size=agent.batch_size,
            buffer_size=10_000,
            learning_starts=self._steps,
            policy_kwargs={"net_arch": list(agent.net_arch)},
        )
        learner.learn(self._steps)
        updates = round(self._steps * agent.gradient_steps / agent.round_steps)
        env.render()
        start = time.perf_counter()
        observations, frames = env.reset(), []
        for _ in range(self._steps):
            actions, _ = learner.predict(observations)
            observations, *_ = env.step(actions)
            frames.append(env.render())
        self._reward(np.stack(frames))
        learner.train(updates, agent.batch_size)
        rate = self._steps / (time.perf_counter() - start)
        env.close()
        return rate
