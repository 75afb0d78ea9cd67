"""A CLIP model and a sentence as the reward of any environment that can render.

reward = VLMReward.load("resources/models/sim-S", goal="a humanoid robot kneeling")
rewards = reward(frames)
env = VLMRewardWrapper(gym.make("Ant-v5", render_mode="rgb_array"), reward)
"""

from __future__ import annotations

import os
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Precision
from vlmrm.models.clip import ClipModel
from vlmrm.rewards.goal_baseline import goal_baseline_reward, mean_direction


class VLMReward:
    """Rewards frames by how well they match a sentence.

    Attributes:
        model: The CLIP model.
        alpha: Regularization strength, 0 (none) to 1.
    """

    def __init__(
        self,
        model: ClipModel,
        goal: str | list[str],
        baseline: str | list[str] | None = None,
        alpha: float = 0.0,
    ):
        """Embeds the sentences; the embeddings of several are averaged.

        Raises:
            ValueError: There is no goal, or alpha is outside [0, 1], or above 0 without a baseline.
        """
        if not goal or not all(
            text.strip() for text in ([goal] if isinstance(goal, str) else goal)
        ):
            raise ValueError("the goal is empty; give a sentence")
        self.model = model
        self.alpha = alpha
        self._goal = _embed(model, goal)
        self._baseline = _embed(model, baseline) if baseline else None
        # Raise errors here rather than at the first frame.
        goal_baseline_reward(self._goal, self._goal, self._baseline, alpha)

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        goal: str | list[str],
        baseline: str | list[str] | None = None,
        alpha: float = 0.0,
        device: str = "auto",
        precision: Precision = "auto",
        **options: Any,
    ) -> VLMReward:
        """Loads a model folder; see `ClipModel.load`, also for ``options``, and the constructor."""
        model = ClipModel.load(folder, device, precision, **options)
        return cls(model, goal, baseline, alpha)

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Rewards, float32 ``[N]``, of uint8 RGB frames ``[N, H, W, 3]``."""
        embeddings = self.model.embed_images(frames)
        rewards = goal_baseline_reward(embeddings, self._goal, self._baseline, self.alpha)
        return rewards.astype(np.float32)


class VLMRewardWrapper(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Replaces an environment's reward with the `VLMReward` of its frame.

    The environment's own reward is kept in ``info["environment_reward"]``. `vlmrm.training`
    computes the same rewards in batches, which is much faster.
    """

    def __init__(self, env: gym.Env[Any, Any], reward: VLMReward):
        """Wraps an environment made with ``render_mode="rgb_array"``.

        Raises:
            ValueError: The environment has another render mode, or none.
        """
        if env.render_mode != "rgb_array":
            raise ValueError(
                f'make the environment with render_mode="rgb_array", not {env.render_mode}'
            )
        # With its arguments in the environment's spec, Gymnasium can make it again.
        gym.utils.RecordConstructorArgs.__init__(self, _disable_deepcopy=True, reward=reward)
        gym.Wrapper.__init__(self, env)
        self.metadata = {**env.metadata, "render_modes": ["rgb_array"]}
        self.reward = reward

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, own, terminated, truncated, info = self.env.step(action)
        frame = np.asarray(self.env.render(), dtype=np.uint8)
        reward = float(self.reward(frame[None])[0])
        return observation, reward, terminated, truncated, {**info, "environment_reward": own}


def _embed(model: ClipModel, prompts: str | list[str]) -> NDArray[np.float64]:
    return mean_direction(model.embed_prompts([prompts] if isinstance(prompts, str) else prompts))
