"""Distances and rank measures of two vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from vlmrm.epic.checks import Floats, checked_pair, finite, refuse_constant, shares, standardize


def pearson_distance(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The Pearson distance sqrt((1 - rho) / 2): 0 for an affine copy, 1 for a negation.

    It is computed as half the distance between the standardized vectors, which, unlike the
    correlation, does not lose half of the digits where the distance is small.

    Args:
        x: Numbers, any shape.
        y: As many numbers, in the same shape.
        weights: Weight of each pair: not negative, any sum. Equal by default.

    Raises:
        ValueError: Lengths differ, a number is not finite, ``x`` or ``y`` is constant (up to
            rounding) where the weights are positive, or weights are negative or all zero.
    """
    first, second = finite("x", x), finite("y", y)
    if first.shape != second.shape:
        raise ValueError(f"x and y differ in shape: {first.shape} and {second.shape}")
    share = shares(weights, first.shape)
    difference = standardize("x", first, share) - standardize("y", second, share)
    return min(1.0, 0.5 * float(np.sqrt(np.sum(share * difference**2))))


def class_balanced_distance(rewards: ArrayLike, labels: ArrayLike) -> float:
    """The Pearson distance of rewards ``[N]`` to bool labels ``[N]``, with equal weight per class.

    Raises:
        ValueError: As in `pearson_distance`, or one class is missing.
    """
    values, truth = checked_pair(rewards, labels)
    positive = np.count_nonzero(truth)
    weights = np.where(truth, 0.5 / positive, 0.5 / (len(truth) - positive))
    return pearson_distance(values, truth, weights)


def auroc(rewards: ArrayLike, labels: ArrayLike) -> float:
    """Probability that a success ``[N]`` has a higher reward ``[N]`` than a failure.

    Ties count half: 0.5 is chance, and the value of a constant reward.

    Raises:
        ValueError: A reward is not finite, lengths differ, or one class is missing.
    """
    values, truth = checked_pair(rewards, labels)
    positive = np.count_nonzero(truth)
    rank_sum = float(rankdata(values)[truth].sum())
    wins = rank_sum - positive * (positive + 1) / 2
    return wins / (positive * (len(truth) - positive))


def fooled(rewards: ArrayLike, labels: ArrayLike) -> float:
    """Share of failures among the states ``[N]`` that the reward takes for good successes.

    These are the states whose reward is at least the median reward of the successes. 0 is best; an
    agent that finds the others is rewarded for nothing.

    Raises:
        ValueError: A reward is not finite, lengths differ, or one class is missing.
    """
    values, truth = checked_pair(rewards, labels)
    return float(1 - truth[well_rewarded(values, truth)].mean())


def well_rewarded(rewards: Floats, labels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the reward of each state ``[N]`` is at least the median reward of the successes."""
    median = np.quantile(rewards[labels], 0.5, method="inverted_cdf")
    found: NDArray[np.bool_] = rewards >= median
    return found


def rank_correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's rank correlation of numbers ``[N]``, ties at their mean rank.

    NaN where one of both is constant.

    Raises:
        ValueError: A number is not finite.
    """
    first, second = finite("x", x), finite("y", y)
    if not len(first) or np.ptp(first) == 0 or np.ptp(second) == 0:
        return np.nan
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def spearman(rewards: ArrayLike, labels: ArrayLike) -> float:
    """Rank correlation of rewards ``[N]`` with bool labels ``[N]``, ties at their mean rank.

    Raises:
        ValueError: As in `pearson_distance`, or one class is missing.
    """
    values, truth = checked_pair(rewards, labels)
    refuse_constant("the reward", values)
    return rank_correlation(values, truth)
