"""A CLIP model and a sentence as the reward of any environment that can render.

reward = VLMReward.load("resources/models/sim-S", goal="a humanoid robot kneeling")
rewards = reward(frames)

`vlmrm.rewards.wrappers` and `vlmrm.rewards.sb3` give it to environments and agents.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Precision
from vlmrm.config.scoring import PLAIN, canonical_scoring
from vlmrm.config.settings import PromptSettings
from vlmrm.errors import blaming
from vlmrm.models.clip import ClipModel
from vlmrm.rewards.directions import Directions


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
        self._directions = Directions.of(
            *(
                list(model.embed_prompts(_listed(sentences))) if sentences else []
                for sentences in (goal, baseline, contrast)
            )
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
        """Loads a model folder or a packaged model.

        See `ClipModel.load`, also for ``options``, and the constructor.
        """
        model = ClipModel.load(folder, device, precision, **options)
        return cls(model, goal, baseline, scoring, contrast)

    @classmethod
    def of_task(
        cls,
        model: Embedder,
        prompts: PromptSettings,
        scoring: str,
        goals: list[str] | None = None,
    ) -> VLMReward:
        """Makes the reward of a task in a configuration; ``goals`` replace those of the task.

        Raises:
            UserError: The sentences give no reward.
        """
        with blaming(f"tasks.{prompts.task}"):
            return cls(model, goals or prompts.goals, prompts.baselines, scoring, prompts.contrasts)

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Rewards, float32 ``[N]``, of uint8 RGB frames ``[N, H, W, 3]``."""
        return self.score(self.model.embed_images(frames)).astype(np.float32)

    def by_scoring(
        self, frames: NDArray[np.uint8], scorings: Sequence[str]
    ) -> dict[str, NDArray[np.float64]]:
        """Rewards ``[N]`` of uint8 RGB frames ``[N, H, W, 3]`` by each scoring.

        The frames are embedded once, for all of them.

        Raises:
            ValueError: One is no scoring, or sentences that it needs are missing.
        """
        names = list(map(canonical_scoring, scorings))
        return self._directions.rewards(self.model.embed_images(frames), names)

    def score(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Rewards ``[N]`` of the model's unit image embeddings ``[N, E]``."""
        return self._directions.rewards(embeddings, [self.scoring])[self.scoring]


def _listed(prompts: str | list[str]) -> list[str]:
    return [prompts] if isinstance(prompts, str) else prompts
