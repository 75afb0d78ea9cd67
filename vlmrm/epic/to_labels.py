"""EPIC of rewards of states to labels of success, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from vlmrm.epic.bootstrap import cluster_bootstrap, largest_unseen
from vlmrm.epic.checks import ROUNDING, Floats, checked_labels, checked_pair, refuse_constant
from vlmrm.epic.distances import (
    auroc,
    class_balanced_distance,
    fooled,
    pearson_distance,
    spearman,
    well_rewarded,
)

MEASURES = ("epic", "epic_balanced", "auroc", "spearman", "fooled")
"""The columns that `measure_epic` adds for each scoring, each with an interval."""

CHUNK = 2**19
"""Resamples times states that are processed at once; the arrays then fit into the cache."""


def measure_epic(
    rewards: Mapping[str, ArrayLike],
    labels: ArrayLike,
    clusters: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """EPIC of rewards to labels and related measures, for every scoring, with 95 % intervals.

    The intervals are percentiles over bootstrap resamples. Resamples that lack a class, in which no
    measure is defined, are left out. The interval of `fooled` reaches at least up to what its
    clusters leave possible if none of them has a failure (`largest_unseen`).

    Args:
        rewards: Scoring to rewards ``[N]``.
        labels: Whether each state is a success, bool ``[N]``.
        clusters: Cluster of each state, for example its trajectory, ``[N]``: states of a cluster
            depend on each other and are drawn together. By default, each state is a cluster.
        bootstrap: Number of resamples.
        seed: Seed of the resampling; all scorings see the same resamples.

    Returns:
        One row per scoring: scoring, n (states), p (share of successes); then epic (0 is best),
        epic_balanced (`class_balanced_distance`), auroc and spearman (1 is best), and `fooled` (0
        is best), each with the ends of its interval, ``_low`` and ``_high``.

    Raises:
        ValueError: Rewards are constant (up to rounding) or not finite, there is only one class or
            one cluster, lengths differ, or every resample lacks a class.
    """
    truth = checked_labels(labels)
    table = []
    for scoring, reward in rewards.items():
        try:
            values, _ = checked_pair(reward, truth)
            refuse_constant("the reward", values)
            point = (
                pearson_distance(values, truth),
                class_balanced_distance(values, truth),
                auroc(values, truth),
                spearman(values, truth),
                fooled(values, truth),
            )
        except ValueError as error:
            raise ValueError(f"{scoring}: {error}") from error
        table.append((scoring, values, point))
    if not table:
        raise ValueError("there are no rewards")

    resampled = _bootstrap([values for _, values, _ in table], truth, clusters, bootstrap, seed)
    if np.isnan(resampled).all(axis=1).any():
        raise ValueError(
            f"none of the {bootstrap} resamples contains both successes and failures; use more"
        )
    intervals = np.nanquantile(resampled, (0.025, 0.975), axis=1)
    members = np.arange(len(truth)) if clusters is None else np.asarray(clusters)
    rows = []
    for (scoring, values, point), low, high in zip(table, *intervals, strict=True):
        row: dict[str, Any] = {"scoring": scoring, "n": len(truth), "p": float(truth.mean())}
        for name, *value in zip(MEASURES, point, low, high, strict=True):
            row |= zip((name, f"{name}_low", f"{name}_high"), map(float, value), strict=True)
        rewarded = len(np.unique(members[well_rewarded(values, truth)]))
        row["fooled_high"] = max(row["fooled_high"], float(largest_unseen(rewarded)))
        rows.append(row)
    return pd.DataFrame(rows)


def undefined_measures(scorings: Iterable[str], labels: ArrayLike) -> pd.DataFrame:
    """The table of `measure_epic` where all labels are the same, so that no measure is defined.

    Args:
        scorings: Names of the scorings.
        labels: Bool ``[N]``.
    """
    truth = np.asarray(labels, dtype=np.bool_)
    ends = ("", "_low", "_high")
    empty = dict.fromkeys((f"{name}{end}" for name in MEASURES for end in ends), np.nan)
    size = {"n": len(truth), "p": float(truth.mean())}
    return pd.DataFrame([{"scoring": scoring, **size, **empty} for scoring in scorings])


def _bootstrap(
    rewards: list[Floats],
    labels: NDArray[np.bool_],
    clusters: ArrayLike | None,
    resamples: int,
    seed: int,
) -> Floats:
    """`MEASURES` of resamples: ``[A, B, 5]``, NaN if undefined."""
    member_of, draw = cluster_bootstrap(len(labels), clusters, resamples, seed)
    sorted_rewards = [_Sorted(values, labels) for values in rewards]
    result = np.empty((len(rewards), resamples, len(MEASURES)))
    rows = max(1, CHUNK // len(labels))
    for start in range(0, resamples, rows):
        part = slice(start, min(start + rows, resamples))
        counts = draw(part.stop - part.start)[:, member_of]
        for a, values in enumerate(sorted_rewards):
            result[a, part] = values.measure(counts)
    return result


class _Sorted:
    """Rewards ``[N]`` in increasing order, to measure under many sets of counts."""

    def __init__(self, rewards: Floats, labels: NDArray[np.bool_]):
        # Each class separately, so that counts need no masking.
        self._order = [np.flatnonzero(c)[np.argsort(rewards[c])] for c in (labels, ~labels)]
        levels, level = np.unique(rewards, return_inverse=True)
        self._levels = len(levels)
        self._level = [level[order] for order in self._order]
        standard = (rewards - rewards.mean()) / rewards.std()
        self._powers = [
            np.stack([np.ones(len(order)), standard[order], standard[order] ** 2], axis=1)
            for order in self._order
        ]

    def measure(self, counts: Floats) -> Floats:
        """`MEASURES` ``[B, 5]`` when state i occurs ``counts[b, i]`` times, ``[B, N]``."""
        drawn = [counts[:, order] for order in self._order]
        sums = [d @ powers for d, powers in zip(drawn, self._powers, strict=True)]
        (n1, s1, q1), (n0, s0, q0) = (part.T for part in sums)
        n = n1 + n0
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = s1 / n1 - s0 / n0
            variance = (q1 + q0) / n - ((s1 + s0) / n) ** 2
            balanced = (q1 / n1 + q0 / n0) / 2 - ((s1 / n1 + s0 / n0) / 2) ** 2
            rho = gap * np.sqrt(n1 * n0) / n / _root(variance)
            balanced_rho = gap / 2 / _root(balanced)

            successes, failures = (
                self._by_level(d, level) for d, level in zip(drawn, self._level, strict=True)
            )
            wins, ties = _ranks(successes, failures)
            area = wins / (n1 * n0)
            # The variance of n ranks among which t are tied, summed over all ties.
            rank_variance = (n**3 - ties) / (12 * n)
            rank_rho = (area - 0.5) * np.sqrt(n1 * n0) / _root(rank_variance)
            wrong = np.where(n1 * n0 > 0, _failures_above(successes, failures), np.nan)
        measures = [_distance(rho), _distance(balanced_rho), area, rank_rho, wrong]
        return np.stack(measures, axis=1)

    def _by_level(self, drawn: Floats, level: NDArray[np.intp]) -> Floats:
        """Counts ``[B, levels]`` of each distinct reward, from the counts of sorted states."""
        first = np.flatnonzero(np.diff(level, prepend=-1))
        by_level = np.zeros((len(drawn), self._levels))
        by_level[:, level[first]] = np.add.reduceat(drawn, first, axis=1)
        return by_level


def _ranks(successes: Floats, failures: Floats) -> tuple[Floats, Floats]:
    """Pairs that a success wins (a tie is half a win), and the sum of cubed tie sizes."""
    below = np.cumsum(failures, axis=1) - failures / 2
    ties = successes + failures
    return np.einsum("bl,bl->b", successes, below), np.einsum("bl,bl,bl->b", ties, ties, ties)


def _failures_above(successes: Floats, failures: Floats) -> Floats:
    """Share of failures from the level on that at least half of the successes do not exceed."""
    reached = np.cumsum(successes, axis=1)
    median = np.argmax(reached >= reached[:, -1:] / 2, axis=1)[:, None]
    from_median = np.arange(successes.shape[1]) >= median
    good, bad = (np.sum(part, axis=1, where=from_median) for part in (successes, failures))
    return bad / (good + bad)


def _root(variance: Floats) -> Floats:
    """Standard deviation; NaN if only rounding errors vary."""
    return np.sqrt(np.where(variance > ROUNDING**2, variance, np.nan))


def _distance(rho: Floats) -> Floats:
    return np.sqrt((1 - np.clip(rho, -1, 1)) / 2)
