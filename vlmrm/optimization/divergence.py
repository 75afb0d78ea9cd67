"""How far apart two samples of states are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from vlmrm.epic.checks import ROUNDING, Floats, finite

LARGEST = 2000
"""States of each sample that are compared, at even distances: all pairs of them are in memory."""


def divergence(
    first: ArrayLike,
    second: ArrayLike,
    trajectories: tuple[ArrayLike, ArrayLike] | None = None,
) -> float:
    """The energy coefficient of two samples of states.

    With states x of the first and y of the second sample, and Euclidean distances,

        H = (2 E|x - y| - E|x - x'| - E|y - y'|) / (2 E|x - y|)

    is 0 if both have the same distribution, and 1 if each has one state, another one (Rizzo and
    Székely, "Energy distance", WIREs Computational Statistics, 2016). Means within a sample are
    over pairs of different trajectories: states of one trajectory are close to each other. The
    numerator is thus unbiased, and about 0 on average for samples of one distribution. Each
    coordinate is in standard deviations of both samples together, whatever its unit; constant ones
    are left out.

    Args:
        first: States ``[N, D]``.
        second: States ``[M, D]``.
        trajectories: The trajectory of each state, ``[N]`` and ``[M]``, at least two in each
            sample. By default, each state is one.

    Returns:
        H, the same for exchanged samples; 0 if all states are equal.

    Raises:
        ValueError: A number is not finite, widths differ or are 0, or a sample has fewer than two
            trajectories.
    """
    of_first, of_second = trajectories or (None, None)
    (x, of_x), (y, of_y) = _some(first, of_first), _some(second, of_second)
    if min(len(np.unique(of_x)), len(np.unique(of_y))) < 2:
        raise ValueError("a divergence needs states of at least two trajectories in each sample")
    if not x.shape[1]:
        raise ValueError("a divergence needs states of at least one number")
    both = np.concatenate([x, y])
    varying = np.ptp(both, axis=0) > ROUNDING * np.abs(both).max(axis=0)
    if not varying.any():
        return 0.0
    both = both[:, varying] / both[:, varying].std(axis=0)
    x, y = np.split(both, [len(x)])
    between = 2 * cdist(x, y).mean()
    return float((between - _within(x, of_x) - _within(y, of_y)) / between)


def _within(states: Floats, trajectory: NDArray[Any]) -> float:
    """Mean distance of two states ``[N, D]`` of different trajectories."""
    return float(cdist(states, states)[trajectory[:, None] != trajectory].mean())


def _some(states: ArrayLike, trajectory: ArrayLike | None) -> tuple[Floats, NDArray[Any]]:
    """At most `LARGEST` of the states ``[N, D]``, and their trajectories."""
    values = finite("states", states)
    members = np.arange(len(values)) if trajectory is None else np.asarray(trajectory)
    rows = np.linspace(0, len(values) - 1, min(len(values), LARGEST)).astype(int)
    return values[rows], members[rows]
