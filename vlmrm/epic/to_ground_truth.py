"""EPIC of rewards of states to a reward of transitions, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vlmrm.epic.bootstrap import cluster_bootstrap
from vlmrm.epic.canonical import canonical_shaping
from vlmrm.epic.checks import ROUNDING, Floats, finite, refuse_constant


def measure_ground_truth(
    rewards: Mapping[str, ArrayLike],
    reference: ArrayLike,
    discount: float,
    bootstrap: int = 1000,
    seed: int = 0,
    clusters: ArrayLike | None = None,
) -> pd.DataFrame:
    """EPIC of rewards to a reference reward, by the general definition, for every scoring.

    States and next states are drawn independently from the given states, and actions from the given
    actions, all with equal weight. The 95 % intervals are percentiles over bootstrap resamples of
    the clusters of states.

    Args:
        rewards: Scoring to rewards of the state that a transition leads to, ``[S]``.
        reference: Rewards ``[S, A, S]`` of all transitions, as from `tabulate`.
        discount: In [0, 1].
        bootstrap: Number of resamples; those in which a reward is constant are left out.
        seed: Seed of the resampling; all scorings see the same resamples.
        clusters: As of `cluster_bootstrap`.

    Returns:
        One row per scoring: scoring, epic_ground_truth, and the ends of its interval, ``_low`` and
        ``_high``.

    Raises:
        ValueError: As in `epic_distance` and `cluster_bootstrap`.
    """
    table = finite("reference", reference)
    values = np.stack([finite("rewards", reward) for reward in rewards.values()])
    for scoring, reward in zip(rewards, values, strict=True):
        refuse_constant(f"{scoring}: the reward", reward)
    n = len(table)
    member_of, draw = cluster_bootstrap(n, clusters, bootstrap, seed)
    equal = np.full(n, 1 / n)
    point = _distances(values, table, discount, equal)
    if np.isnan(point).any():
        raise ValueError("reference is constant after canonical shaping: its EPIC is undefined")
    counts = draw(bootstrap)[:, member_of]
    drawn = counts / counts.sum(axis=1, keepdims=True)
    resampled = np.stack([_distances(values, table, discount, weights) for weights in drawn])
    low, high = np.nanquantile(resampled, (0.025, 0.975), axis=0)
    name = "epic_ground_truth"
    columns = {"scoring": list(rewards), name: point, f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(columns)


def _distances(rewards: Floats, reference: Floats, discount: float, weights: Floats) -> Floats:
    """EPIC distances ``[K]`` of rewards ``[K, S]`` of the next state; NaN if undefined.

    Canonical shaping changes these rewards only by a constant, so only the variance of the
    reference and its mean given the next state matter.
    """
    shaped = canonical_shaping(reference, discount, weights)
    of_action = np.full(reference.shape[1], 1 / reference.shape[1])
    given_next = np.einsum("s,a,sat->t", weights, of_action, shaped)
    square = np.einsum("s,a,sat,sat,t->", weights, of_action, shaped, shaped, weights)
    variance = square - (weights @ given_next) ** 2
    spread = np.sqrt(variance) if variance > ROUNDING**2 * square else np.nan
    centered = rewards - (rewards @ weights)[:, None]
    deviation = np.sqrt((centered**2) @ weights)
    # In a resample of a single state, only float64 rounding errors vary.
    deviation[deviation <= 1e-12 * np.abs(rewards).max(axis=1)] = np.nan
    rho = (centered * given_next) @ weights / (deviation * spread)
    distances: Floats = np.sqrt((1 - np.clip(rho, -1, 1)) / 2)
    return distances
