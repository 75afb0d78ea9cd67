"""The directions of a task's sentences, and the rewards of images by every scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmrm.config.scoring import alpha_of, temperature_of
from vlmrm.rewards.contrast import contrast_reward
from vlmrm.rewards.goal_baseline import goal_baseline_reward, mean_direction


@dataclass(frozen=True)
class Directions:
    """Unit embeddings of a task's sentences."""

    goal: NDArray[np.float64]
    """``[E]``"""
    baseline: NDArray[np.float64] | None = None
    """``[E]``; alphas above 0 need it."""
    contrasts: Sequence[NDArray[np.float32]] = ()
    """Each ``[E]``; contrasts need at least one."""

    @classmethod
    def of(
        cls,
        goals: Sequence[NDArray[np.float32]],
        baselines: Sequence[NDArray[np.float32]] = (),
        contrasts: Sequence[NDArray[np.float32]] = (),
    ) -> Directions:
        """The directions of sentences by their unit embeddings, each ``[E]``.

        Those of several goals, or baselines, are averaged.

        Raises:
            ValueError: Goals, or baselines, cancel out.
        """
        baseline = mean_direction(baselines) if len(baselines) else None
        return cls(mean_direction(goals), baseline, list(contrasts))

    def fitting(self, scorings: Sequence[str]) -> list[str]:
        """Those of the scorings whose sentences are here."""
        return [
            name
            for name in scorings
            if (self.contrasts if temperature_of(name) else self.baseline is not None)
            or alpha_of(name) == 0
        ]

    def rewards(
        self, image_embeddings: ArrayLike, scorings: Sequence[str]
    ) -> dict[str, NDArray[np.float64]]:
        """Rewards ``[...]`` of unit image embeddings ``[..., E]``, by scoring.

        Raises:
            ValueError: A scoring needs sentences that are missing, or a baseline that differs from
                the goal.
        """
        alphas = {name: a for name in scorings if (a := alpha_of(name)) is not None}
        # One pass over the embeddings serves all alphas.
        regularized = goal_baseline_reward(
            image_embeddings, self.goal, self.baseline, list(alphas.values())
        )
        found = dict(zip(alphas, regularized, strict=True))
        for name in scorings:
            if temperature := temperature_of(name):
                found[name] = contrast_reward(
                    image_embeddings, self.goal, list(self.contrasts), temperature
                )
        return {name: found[name] for name in scorings}
