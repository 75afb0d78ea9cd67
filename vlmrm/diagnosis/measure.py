"""What a reward does on states whose verdicts are known. See docs/diagnosis.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmrm.epic import distances
from vlmrm.epic.checks import checked_pair, finite
from vlmrm.epic.distances import auroc, fooled, well_rewarded
from vlmrm.optimization.best_of_n import best_of_n

N = 64
"""States of which the best is chosen, far below their number. In a diagnosis, 5 to 16 % of the
poses fulfill a task, and 37 % that of standing."""
NEAR = 0.1
"""Share of failures that are near misses: those that the oracle scores highest."""
HIGH = 0.95
"""Quantile of the near misses' rewards: a few are hardly misses."""

SHOWN = {
    "progress": "path",
    "closeness": "closeness",
    "auroc": "AUROC",
    "fooled": "fooled",
    "best_of_n": f"best of {N}",
    "margin": "margin",
    "spread": "spread",
}
"""Measures of poses that a diagnosis shows, with their headings."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def correlation_or_zero(rewards: ArrayLike, values: ArrayLike) -> float:
    """Spearman's rank correlation of rewards ``[N]`` and numbers ``[N]``; 0 if one is constant."""
    return float(np.nan_to_num(distances.rank_correlation(rewards, values)))


def near_misses(scores: ArrayLike, labels: ArrayLike) -> Bools:
    """Which states are near misses: bool ``[N]``.

    Args:
        scores: How close each state ``[N]`` is to the task.
        labels: Whether it fulfills it, bool ``[N]``.

    Raises:
        ValueError: A score is not finite, lengths differ, or one class is missing.
    """
    closeness, truth = checked_pair(scores, labels)
    return ~truth & (closeness >= np.quantile(closeness[~truth], 1 - NEAR))


def margin(rewards: ArrayLike, labels: ArrayLike, near: ArrayLike) -> float:
    """How far successes are above near misses, in standard deviations of the reward ``[N]``.

    That is the median reward of successes minus the 95th percentile of the near misses' rewards; 0
    if the reward is constant.

    Args:
        rewards: Rewards ``[N]``.
        labels: Successes, bool ``[N]``.
        near: Near misses, bool ``[N]``, at least one.

    Raises:
        ValueError: A reward is not finite, lengths differ, or one class is missing.
    """
    values, truth = checked_pair(rewards, labels)
    if np.ptp(values) == 0:
        return 0.0
    others = values[np.asarray(near, dtype=bool)]
    return float((np.median(values[truth]) - np.quantile(others, HIGH)) / values.std())


def confusion(rewards: ArrayLike, labels: Mapping[str, ArrayLike]) -> dict[str, float]:
    """`auroc` of rewards ``[N]`` for each task's labels, bool ``[N]``."""
    return {task: auroc(rewards, truth) for task, truth in labels.items()}


def preferred(areas: Mapping[str, float]) -> str:
    """The task with the largest area of `confusion`."""
    return max(areas, key=lambda task: areas[task])


def measure_pictures(rewards: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """Measures of rewards ``[N]`` by bool labels ``[N]``: auroc, fooled, best_of_n.

    n is `N`, or the number of pictures if there are fewer.

    Raises:
        ValueError: A reward is not finite, lengths differ, or one class is missing.
    """
    values, truth = checked_pair(rewards, labels)
    return {
        "auroc": auroc(values, truth),
        "fooled": fooled(values, truth),
        "best_of_n": float(best_of_n(values, truth.astype(float), [min(N, len(values))])[0]),
    }


def measure_poses(rewards: ArrayLike, labels: ArrayLike, scores: ArrayLike) -> dict[str, float]:
    """Measures of rewards ``[N]`` on poses: those of `measure_pictures`, and others.

    Args:
        rewards: Rewards ``[N]``.
        labels: Whether each pose fulfills the task, bool ``[N]``.
        scores: How close each pose is to the task, by its oracle ``[N]``.

    Returns:
        ``rewarded`` is the number of poses of which ``fooled`` is a share, ``closeness`` the rank
        correlation of reward and score, ``margin`` as above, and ``ease`` the mean score, in which
        the reward has no part.
    """
    return {
        **measure_pictures(rewards, labels),
        "rewarded": int(well_rewarded(*checked_pair(rewards, labels)).sum()),
        "closeness": correlation_or_zero(rewards, scores),
        "margin": margin(rewards, labels, near_misses(scores, labels)),
        "ease": float(np.mean(finite("scores", scores))),
    }


def compare_sentences(cosines: ArrayLike) -> list[dict[str, Any]]:
    """How the goal differs from each other sentence on the same images.

    Args:
        cosines: Similarity of each image with each sentence ``[N, 1 + K]``, the goal's first.

    Returns:
        For each of K sentences: ``correlation`` (rank correlation of the similarities with the
        goal's: near 1, both sentences order the images alike) and ``closer`` (share of images that
        are more similar to the goal).
    """
    goal, *others = finite("cosines", cosines).T
    return [
        {"correlation": correlation_or_zero(goal, other), "closer": float(np.mean(goal > other))}
        for other in others
    ]


def relative_spread(rewards: ArrayLike, known: ArrayLike) -> float:
    """Standard deviation of rewards ``[N]``, over the median of those of known sentences.

    Args:
        rewards: Cosine similarities of images with a sentence ``[N]``.
        known: Those with sentences that name poses ``[N, K]``.
    """
    return float(
        np.std(finite("rewards", rewards)) / np.median(np.std(finite("known", known), axis=0))
    )
