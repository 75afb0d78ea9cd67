"""Best-of-n: the gold of the state with the highest reward among n.

Choosing the best of n random states is the simplest optimizer, and needs no training. Of N states
without ties, the one of rank i (1 is the lowest reward) is the best of n that are drawn without
replacement if it is drawn and the others are among the i - 1 below it. Thus

    E[gold of the best of n] = sum_i gold_(i) C(i - 1, n - 1) / C(N, n)

is exact for these N states, and an unbiased estimate for the distribution that they come from
(Nakano et al., "WebGPT", 2021, appendix I). The weights are differences of C(i, n) / C(N, n), the
probability that all n are among the i lowest, which also serves ties: equal rewards share their
weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from vlmrm.epic.bootstrap import cluster_bootstrap, largest_unseen
from vlmrm.epic.checks import Floats, finite

CHUNK = 2**21
"""Resamples times rewards times sizes that are processed at once."""


def best_of_n(proxy: ArrayLike, gold: ArrayLike, sizes: ArrayLike) -> Floats:
    """Expected gold of the best of n by the proxy, for several n.

    Args:
        proxy: Rewards ``[N]`` by which the best is chosen.
        gold: What counts ``[N]``, for example 0 or 1 by the oracle's verdict.
        sizes: Numbers n ``[K]``, each from 1 to N.

    Returns:
        The expected gold of the best of n ``[K]``: the mean gold for n = 1, the gold of the highest
        reward for n = N.

    Raises:
        ValueError: Numbers are not finite, lengths differ, or an n is out of range.
    """
    levels = _Levels(finite("proxy", proxy), finite("gold", gold))
    counts = np.ones((1, levels.size))
    return levels.expected(counts, _checked_sizes(sizes, levels.size))[0]


def sizes_up_to(largest: int) -> NDArray[np.int64]:
    """Powers of two up to ``largest``, and ``largest`` itself."""
    powers = 2 ** np.arange(int(largest).bit_length())
    return np.unique([*powers[powers <= largest], largest]).astype(np.int64)


def best_of_n_flipped(prevalence: float, share: float, sizes: ArrayLike) -> Floats:
    """Expected gold of the best of n by an oracle of whose verdicts a random share is wrong.

    Of independent states, q = p (1 - f) + (1 - p) f are accepted at a prevalence p of successes,
    and p (1 - f) / q of these are successes. If none of n is accepted, which has the probability
    (1 - q)^n, each is as likely to be the best, and p f / (1 - q) of them are successes.

    Args:
        prevalence: Share p of states that fulfill the task, in [0, 1].
        share: Share f of wrong verdicts, in (0, 1).
        sizes: Numbers n ``[K]``.

    Returns:
        The expected gold ``[K]``.
    """
    accepted = prevalence * (1 - share) + (1 - prevalence) * share
    none = (1 - accepted) ** np.asarray(sizes, dtype=np.float64)
    best: Floats = (1 - none) * prevalence * (1 - share) / accepted
    return best + none * prevalence * share / (1 - accepted)


def measure_best_of_n(
    rewards: Mapping[str, ArrayLike],
    gold: ArrayLike,
    clusters: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """`best_of_n` for every scoring, with 95 % intervals.

    The intervals are percentiles over bootstrap resamples. As C clusters contain C / n disjoint
    draws of n, they leave at least as much possible as so many without a success, or without a
    failure, do (`vlmrm.epic.bootstrap.largest_unseen`).

    Args:
        rewards: Scoring to rewards ``[N]``.
        gold: What counts ``[N]``, between 0 and 1.
        clusters: As in `vlmrm.epic.measure_epic`. The largest n is a tenth of their number:
            resamples hardly vary in who is the best of more.
        bootstrap: Number of resamples.
        seed: Seed of the resampling; all scorings see the same resamples.

    Returns:
        One row per scoring and n: scoring, n, gold, gold_low, gold_high.

    Raises:
        ValueError: As in `best_of_n`, or there are fewer than two clusters.
    """
    values = finite("gold", gold)
    member_of, draw = cluster_bootstrap(len(values), clusters, bootstrap, seed)
    n_clusters = int(member_of.max()) + 1
    sizes = sizes_up_to(max(1, n_clusters // 10))
    unseen = largest_unseen(n_clusters / sizes)
    levels = {name: _Levels(finite(name, reward), values) for name, reward in rewards.items()}
    resampled: dict[str, list[Floats]] = {name: [] for name in levels}
    rows = max(1, CHUNK // (len(values) * len(sizes)))
    for start in range(0, bootstrap, rows):
        counts = draw(min(rows, bootstrap - start))[:, member_of]
        for name, level in levels.items():
            resampled[name].append(level.expected(counts, sizes))
    tables = []
    for name, level in levels.items():
        low, high = np.quantile(np.concatenate(resampled[name]), (0.025, 0.975), axis=0)
        columns: dict[str, Any] = {
            "scoring": name,
            "n": sizes,
            "gold": level.expected(np.ones((1, level.size)), sizes)[0],
            "gold_low": np.minimum(low, 1 - unseen),
            "gold_high": np.maximum(high, unseen),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


class _Levels:
    """The distinct values of a proxy ``[N]``, in increasing order, with the gold of each state."""

    def __init__(self, proxy: Floats, gold: Floats):
        if proxy.shape != gold.shape or proxy.ndim != 1:
            raise ValueError(f"proxy and gold differ in shape: {proxy.shape} and {gold.shape}")
        self.size = len(proxy)
        self._order = np.argsort(proxy, kind="stable")
        self._first = np.flatnonzero(np.diff(proxy[self._order], prepend=-np.inf))
        self._gold = gold[self._order]

    def expected(self, counts: Floats, sizes: NDArray[np.int64]) -> Floats:
        """Expected gold ``[B, K]`` of the best of n where state i occurs ``counts[b, i]`` times."""
        drawn = counts[:, self._order]
        states = np.add.reduceat(drawn, self._first, axis=1)
        golds = np.add.reduceat(drawn * self._gold, self._first, axis=1)
        mean = np.divide(golds, states, out=np.zeros_like(golds), where=states > 0)
        below = np.cumsum(states, axis=1).astype(np.intp)
        # Summed by parts: the differences are those of the golds, the same for every n.
        drop = -np.diff(mean, append=0.0, axis=1)
        result = np.empty((len(counts), len(sizes)))
        for k, n in enumerate(sizes):
            logarithm = _log_choices(below.max(), n)
            choices = np.exp(logarithm - logarithm.max()).take(below)
            result[:, k] = np.einsum("bl,bl->b", choices, drop) / choices[:, -1]
        return result


def _log_choices(largest: int, n: int) -> Floats:
    """Logarithm of C(i, n) for i from 0 to ``largest``, ``[largest + 1]``."""
    i = np.arange(largest + 1)
    choices: Floats = gammaln(i + 1) - gammaln(np.maximum(i - n, 0) + 1) - gammaln(n + 1)
    choices[:n] = -np.inf
    return choices


def _checked_sizes(sizes: ArrayLike, largest: int) -> NDArray[np.int64]:
    numbers = np.asarray(sizes, dtype=np.int64)
    if numbers.size and not (numbers.min() >= 1 and numbers.max() <= largest):
        raise ValueError(f"n must lie between 1 and {largest}, got {numbers.tolist()}")
    return numbers
