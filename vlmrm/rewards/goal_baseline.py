"""The reward: cosine similarity of embeddings with goal-baseline regularization.

With unit vectors s (the state's image), g (goal prompt) and b (baseline prompt), and P the
orthogonal projection onto the line through b and g, the reward is

    R = 1 - 1/2 * || alpha * P(s) + (1 - alpha) * s - g ||^2        alpha in [0, 1]

(Rocamonde et al., "Vision-Language Models are Zero-Shot Reward Models for Reinforcement
Learning", ICLR 2024, definition 1). With alpha = 0 it is the cosine similarity s . g; with
alpha = 1 only the component of s along g - b counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

PARALLEL = 1e-4
"""Distance below which goal and baseline do not define a line. Embeddings of one sentence differ
from batch to batch by less, those of two by hundreds of times as much."""


def goal_baseline_reward(
    image_embeddings: ArrayLike,
    goal: ArrayLike,
    baseline: ArrayLike | None = None,
    alphas: float | Sequence[float] = 0.0,
) -> NDArray[np.float64]:
    """Rewards of image embeddings, for one alpha or several at once.

    Writing ``s' = s - g``, ``d = (g - b) / |g - b|`` and ``c = s' . d``, the blend
    ``alpha P(s) + (1-alpha) s - g`` equals ``alpha c d + (1-alpha) s'``, of squared length
    ``(1-alpha)^2 |s'|^2 + (1 - (1-alpha)^2) c^2``: one pass over the embeddings serves all alphas.

    Args:
        image_embeddings: Unit image embeddings ``[..., E]``.
        goal: Unit goal embedding ``[E]``.
        baseline: Unit baseline embedding ``[E]``; optional if every alpha is 0.
        alphas: Regularization strength(s) in [0, 1].

    Returns:
        Rewards, at most 1: ``[...]`` for one alpha, ``[A, ...]`` for a sequence of ``A``.

    Raises:
        ValueError: An alpha is outside [0, 1], or above 0 without a baseline that differs from the
            goal.
    """
    strengths = np.atleast_1d(np.asarray(alphas, dtype=np.float64))
    if np.any((strengths < 0) | (strengths > 1) | np.isnan(strengths)):
        raise ValueError(f"alpha must lie in [0, 1], got {alphas}")
    g = np.asarray(goal, dtype=np.float64)
    from_goal = np.asarray(image_embeddings, dtype=np.float64) - g
    squared_length = np.sum(from_goal**2, axis=-1)
    squared_component = _squared_component(from_goal, g, baseline, needed=bool(strengths.any()))
    kept = ((1 - strengths) ** 2).reshape(-1, *[1] * squared_length.ndim)
    rewards = 1 - 0.5 * (kept * squared_length + (1 - kept) * squared_component)
    return rewards[0] if np.ndim(alphas) == 0 else rewards


def _squared_component(
    from_goal: NDArray[np.float64],
    goal: NDArray[np.float64],
    baseline: ArrayLike | None,
    needed: bool,
) -> NDArray[np.float64]:
    """Squared component of s - g along the line through baseline and goal."""
    if not needed:
        return np.zeros(from_goal.shape[:-1])
    if baseline is None:
        raise ValueError("alpha > 0 needs a baseline prompt")
    direction = goal - np.asarray(baseline, dtype=np.float64)
    length = np.linalg.norm(direction)
    if length < PARALLEL:
        raise ValueError(
            "alpha > 0 needs a baseline that differs from the goal, also to the model, which reads "
            "both as the same"
        )
    component: NDArray[np.float64] = from_goal @ (direction / length)
    return component**2


def mean_direction(embeddings: ArrayLike) -> NDArray[np.float64]:
    """The normalized mean ``[E]`` of unit embeddings ``[P, E]`` of several prompts.

    Raises:
        ValueError: The embeddings cancel out.
    """
    mean = np.asarray(embeddings, dtype=np.float64).mean(axis=0)
    length = np.linalg.norm(mean)
    if length < PARALLEL:
        raise ValueError("the prompts' embeddings cancel out; use prompts with the same meaning")
    direction: NDArray[np.float64] = mean / length
    return direction
