"""A CLIP model and a sentence as the reward of any environment that can render.

reward = VLMReward.load("resources/models/sim-S", goal="a humanoid robot kneeling")
rewards = reward(frames)
env = VLMRewardWrapper(gym.make("Ant-v5", render_mode="rgb_array"), reward)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Precision
from vlmrm.config.scoring import PLAIN, canonical_scoring
from vlmrm.models.clip import ClipModel
from vlmrm.rewards.directions import Directions
from vlmrm.rewards.goal_baseline import mean_direction


class Embedder(Protocol):
    """Embeds images and sentences into one space: a `ClipModel`, or a function with embeddings."""

    def embed_images(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]: ...

    def embed_prompts(self, prompts: Sequence[str]) -> NDArray[np.float32]: ...


class VLMReward:
    """Rewards frames by how well they match a sentence.

    Attributes:
        model: The CLIP model, or a function with embeddings.
        scoring: How embeddings become rewards.
    """

    def __init__(
        self,
        model: Embedder,
        goal: str | list[str],
        baseline: str | list[str] | None = None,
        scoring: str = PLAIN,
        contrast: str | list[str] | None = None,
    ):
        """Embeds the sentences; the embeddings of several goals or baselines are averaged.

        Args:
            model: The CLIP model.
            goal: Describes success.
            baseline: Describes any state; alphas above 0 need it.
            scoring: ``alpha-A`` for goal-baseline regularization of strength A, 0 (none) to 1;
                ``contrast-T`` for the softmax over goal and contrast at temperature T.
            contrast: Other sentences, which a contrast compares the goal with.

        Raises:
            ValueError: There is no goal, it is no scoring, or sentences that it needs are missing.
        """
        if not goal or not all(text.strip() for text in _listed(goal)):
            raise ValueError("the goal is empty; give a sentence")
        self.model = model
        self.scoring = canonical_scoring(scoring)
        self._directions = Directions(
            mean_direction(model.embed_prompts(_listed(goal))),
            mean_direction(model.embed_prompts(_listed(baseline))) if baseline else None,
            list(model.embed_prompts(_listed(contrast))) if contrast else [],
        )
        # Raise errors here rather than at the first frame.
        self._directions.rewards(self._directions.goal, [self.scoring])

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        goal: str | list[str],
        baseline: str | list[str] | None = None,
        scoring: str = PLAIN,
        contrast: str | list[str] | None = None,
        device: str = "auto",
        precision: Precision = "auto",
        **options: Any,
    ) -> VLMReward:
        """Loads a model folder; see `ClipModel.load`, also for ``options``, and the constructor."""
        model = ClipModel.load(folder, device, precision, **options)
        return cls(model, goal, baseline, scoring, contrast)

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Rewards, float32 ``[N]``, of uint8 RGB frames ``[N, H, W, 3]``."""
        return self.score(self.model.embed_images(frames)).astype(np.float32)

    def score(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Rewards ``[N]`` of the model's unit image embeddings ``[N, E]``."""
        return self._directions.rewards(embeddings, [self.scoring])[self.scoring]


class VLMRewardWrapper(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Replaces an environment's reward with the reward of its frame.

    The environment's own reward is kept in ``info["environment_reward"]``. `vlmrm.training`
    computes the same rewards in batches, which is much faster.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        reward: Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]],
    ):
        """Wraps an environment made with ``render_mode="rgb_array"``.

        Args:
            env: The environment.
            reward: A `VLMReward`, or another function of uint8 frames ``[N, H, W, 3]``.

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


def _listed(prompts: str | list[str]) -> list[str]:
    return [prompts] if isinstance(prompts, str) else prompts
