"""Uncertainty of means: of few values, and of states that may depend on each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit


def student_half_width(values: ArrayLike) -> float:
    """Half of the 95 % interval of a mean of few values: t(n − 1) s / √n (Student 1908).

    Args:
        values: Two or more independent values ``[n]``.
    """
    numbers = np.asarray(values, np.float64)
    quantile = stdtrit(len(numbers) - 1, 0.975)  # scipy.stats would load for seconds
    return float(quantile * numbers.std(ddof=1) / np.sqrt(len(numbers)))


def cluster_bootstrap(
    states: int, clusters: ArrayLike | None, bootstrap: int, seed: int
) -> tuple[NDArray[np.intp], Callable[[int], NDArray[np.float64]]]:
    """Resamples clusters of states: the states of a cluster are drawn together.

    Args:
        states: Number of states.
        clusters: Cluster of each state, for example its trajectory, ``[states]``; by default, each
            state is a cluster.
        bootstrap: Number of resamples.
        seed: Seed of the resampling.

    Returns:
        The cluster of each state, from 0 to C - 1, ``[states]``; and a function that draws the next
        ``resamples`` resamples: how often each cluster occurs in each, ``[resamples, C]``.

    Raises:
        ValueError: ``clusters`` has another length, there are fewer than two different clusters, or
            fewer than one resample.
    """
    members = np.arange(states) if clusters is None else np.asarray(clusters)
    if members.shape != (states,):
        raise ValueError(f"clusters and states differ in shape: {members.shape}, ({states},)")
    if bootstrap < 1:
        raise ValueError(f"bootstrap must be at least 1, got {bootstrap}")
    names, member_of = np.unique(members, return_inverse=True)
    if len(names) < 2:
        raise ValueError("all states are in one cluster; an interval needs at least two")
    rng = np.random.default_rng(seed)
    equal = np.full(len(names), 1 / len(names))

    def draw(resamples: int) -> NDArray[np.float64]:
        return rng.multinomial(len(names), equal, size=resamples).astype(np.float64)

    return member_of, draw


def largest_unseen(clusters: ArrayLike) -> Any:
    """The share of cases that clusters without any leave possible: 1 - 0.05^(1 / m).

    If more clusters had a case, m of them would have one with a probability above 95 %. This is the
    rule of three, 3 / m, in its exact form (Hanley and Lippman-Hand, "If nothing goes wrong, is
    everything all right?", JAMA 249, 1983). No resample has a case that no cluster has, so that a
    bootstrap interval would have no width.

    Args:
        clusters: Numbers m of clusters.
    """
    return 1 - 0.05 ** (1 / np.asarray(clusters))
