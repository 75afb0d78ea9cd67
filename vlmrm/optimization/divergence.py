"""How far apart two samples of states are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist, pdist

from vlmrm.epic.checks import ROUNDING, Floats, finite

LARGEST = 2000
"""States of each sample that are compared, at even distances: all pairs of them are in memory."""


def divergence(first: ArrayLike, second: ArrayLike) -> float:
    """The energy coefficient of two samples of states.

    With states x of the first and y of the second sample, and Euclidean distances,

        H = (2 E|x - y| - E|x - x'| - E|y - y'|) / (2 E|x - y|)

    is 0 if both have the same distribution, and 1 if each has one state, another one (Rizzo and
    Székely, "Energy distance", WIREs Computational Statistics, 2016). Means are over pairs of
    different states: the numerator is unbiased, so that H of samples of one distribution is
    below 0 as often as above. Each coordinate is in standard deviations of both samples together,
    whatever its unit; constant ones are left out.

    Args:
        first: States ``[N, D]``, at least two.
        second: States ``[M, D]``, at least two.

    Returns:
        H, the same for exchanged samples; 0 if all states are equal.

    Raises:
        ValueError: A number is not finite, widths differ, or a sample has fewer than two states.
    """
    x, y = _some(first), _some(second)
    if min(len(x), len(y)) < 2:
        raise ValueError("a divergence needs at least two states of each sample")
    both = np.concatenate([x, y])
    varying = np.ptp(both, axis=0) > ROUNDING * np.abs(both).max(axis=0)
    if not varying.any():
        return 0.0
    both = both[:, varying] / both[:, varying].std(axis=0)
    x, y = np.split(both, [len(x)])
    between = 2 * cdist(x, y).mean()
    return float((between - pdist(x).mean() - pdist(y).mean()) / between)


def _some(states: ArrayLike) -> Floats:
    """At most `LARGEST` of the states ``[N, D]``."""
    values = finite("states", states)
    rows = np.linspace(0, len(values) - 1, min(len(values), LARGEST)).astype(int)
    return values[rows]
