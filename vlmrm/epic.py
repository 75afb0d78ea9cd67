"""How far a reward is from labels of success: the EPIC distance and its companions.

EPIC (Gleave et al., "Quantifying Differences in Reward Functions", ICLR 2021) removes what does
not change the optimal policy, potential shaping and positive affine maps, and compares the rest:

    C(R)(s, a, s') = R(s, a, s') + E[g R(s', A, S') - R(s, A, S') - g R(S, A, S')]
    D(R1, R2) = sqrt((1 - rho(C(R1), C(R2))) / 2)

with discount g, independent S, S' and A, and the Pearson correlation rho. If the rewards depend
on the next state alone, the expectations are constants, and EPIC is the `pearson_distance` of the
rewards of the states. That is the case of a reward model that sees a picture (`measure_epic`).

With a binary label of frequency p, rho = sqrt(p (1 - p)) times the difference of the two classes'
means in units of the reward's standard deviation: the distance depends on how many successes are
among the states. The companions do not, or say how well the reward merely orders the states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]

ROUNDING = 4e-7
"""A spread below this share of the largest magnitude is taken for float32 rounding errors."""

MEASURES = ("epic", "epic_balanced", "auroc", "spearman")
"""The columns that `measure_epic` adds for each alpha, each with an interval."""

CHUNK = 2**19
"""Resamples times states that are worked on at once; the arrays then fit into the cache."""


# --- distances ----------------------------------------------------------------------------------


def pearson_distance(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The Pearson distance sqrt((1 - rho) / 2): 0 for an affine copy, 1 for a negation.

    Computed as half the distance of the standardised vectors, which, unlike the correlation, does
    not lose half of the digits where the distance is small.

    Args:
        x: Numbers, any shape.
        y: As many numbers, in the same shape.
        weights: How much each pair counts: not negative, any sum. Equal if left out.

    Raises:
        ValueError: Lengths differ, a number is not finite, ``x`` or ``y`` is constant (up to
            rounding) where the weights are positive, or weights are negative or all zero.
    """
    first, second = _finite("x", x), _finite("y", y)
    if first.shape != second.shape:
        raise ValueError(f"x and y differ in shape: {first.shape} and {second.shape}")
    share = _shares(weights, first.shape)
    difference = _standardise("x", first, share) - _standardise("y", second, share)
    return min(1.0, 0.5 * float(np.sqrt(np.sum(share * difference**2))))


def class_balanced_distance(rewards: ArrayLike, labels: ArrayLike) -> float:
    """The Pearson distance of rewards ``[N]`` to bool labels ``[N]``, half the weight per class.

    Raises:
        ValueError: As `pearson_distance`, or one class is missing.
    """
    values, truth = _rewards_and_labels(rewards, labels)
    positive = np.count_nonzero(truth)
    weights = np.where(truth, 0.5 / positive, 0.5 / (len(truth) - positive))
    return pearson_distance(values, truth, weights)


def auroc(rewards: ArrayLike, labels: ArrayLike) -> float:
    """Probability that a success ``[N]`` has a higher reward ``[N]`` than a failure.

    Ties count half: 0.5 is chance, also for a constant reward.

    Raises:
        ValueError: A reward is not finite, lengths differ, or one class is missing.
    """
    values, truth = _rewards_and_labels(rewards, labels)
    positive = np.count_nonzero(truth)
    rank_sum = float(rankdata(values)[truth].sum())
    wins = rank_sum - positive * (positive + 1) / 2
    return wins / (positive * (len(truth) - positive))


def spearman(rewards: ArrayLike, labels: ArrayLike) -> float:
    """Rank correlation of rewards ``[N]`` with bool labels ``[N]``, ties at their mean rank.

    Raises:
        ValueError: As `pearson_distance`, or one class is missing.
    """
    values, truth = _rewards_and_labels(rewards, labels)
    _refuse_constant("the reward", values)
    return float(np.corrcoef(rankdata(values), truth)[0, 1])


# --- the general definition ---------------------------------------------------------------------


def tabulate(
    reward: Callable[[NDArray, NDArray, NDArray], ArrayLike],  # type: ignore[type-arg]
    states: ArrayLike,
    actions: ArrayLike,
) -> Floats:
    """Rewards of all transitions among sampled states and actions.

    Args:
        reward: Takes arrays of ``n`` states, actions and next states; returns ``[n]`` rewards.
        states: ``[S, ...]``.
        actions: ``[A, ...]``.

    Returns:
        ``[S, A, S]``: entry (i, j, k) belongs to state i, action j and next state k.
    """
    s, a = np.asarray(states), np.asarray(actions)
    shape = (len(s), len(a), len(s))
    i, j, k = (index.ravel() for index in np.indices(shape))
    return np.asarray(reward(s[i], a[j], s[k]), dtype=np.float64).reshape(shape)


def canonical_shaping(
    rewards: ArrayLike,
    discount: float,
    state_weights: ArrayLike | None = None,
    action_weights: ArrayLike | None = None,
) -> Floats:
    """The canonically shaped reward C(R) of a table of rewards.

    Args:
        rewards: ``[S, A, S]``, as from `tabulate`.
        discount: In [0, 1].
        state_weights: Distribution ``[S]`` of the reference states S and S'; equal if left out.
        action_weights: Distribution ``[A]`` of the reference actions; equal if left out.

    Returns:
        ``[S, A, S]``.

    Raises:
        ValueError: The table has another shape or holds numbers that are not finite, the discount
            is outside [0, 1], or weights are negative, all zero, or of the wrong length.
    """
    table = _finite("rewards", rewards)
    if table.ndim != 3 or table.shape[0] != table.shape[2]:
        raise ValueError(f"rewards must have shape [S, A, S], got {table.shape}")
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must lie in [0, 1], got {discount}")
    states, actions, _ = table.shape
    of_state = _shares(state_weights, (states,))
    of_action = _shares(action_weights, (actions,))
    # E[R(s, A, S')] for each state s: all three expectations are made of it.
    expected = np.einsum("sat,a,t->s", table, of_action, of_state)
    shaping = discount * expected - expected[:, None] - discount * (of_state @ expected)
    shaped: Floats = table + shaping[:, None, :]
    return shaped


def epic_distance(
    first: ArrayLike,
    second: ArrayLike,
    discount: float,
    state_weights: ArrayLike | None = None,
    action_weights: ArrayLike | None = None,
    transition_weights: ArrayLike | None = None,
) -> float:
    """EPIC distance of two tables of rewards ``[S, A, S]`` (from `tabulate`).

    Args:
        first: One reward.
        second: The other.
        discount: In [0, 1].
        state_weights: Distribution ``[S]`` of the states; equal if left out.
        action_weights: Distribution ``[A]`` of the actions; equal if left out.
        transition_weights: Coverage distribution ``[S, A, S]`` over which the shaped rewards are
            compared; if left out, the product of the distributions above.

    Raises:
        ValueError: As `canonical_shaping` and `pearson_distance`; a reward that is potential
            shaping and nothing else is constant here.
    """
    tables = [_finite(name, r) for name, r in (("first", first), ("second", second))]
    shaped = [canonical_shaping(t, discount, state_weights, action_weights) for t in tables]
    for name, table, canonical in zip(("first", "second"), tables, shaped, strict=True):
        if np.ptp(canonical) <= ROUNDING * np.abs(table).max():
            raise ValueError(f"{name} is constant after canonical shaping: its EPIC is undefined")
    if transition_weights is None:
        states, actions, _ = tables[0].shape
        s, a = _shares(state_weights, (states,)), _shares(action_weights, (actions,))
        transition_weights = np.einsum("s,a,t->sat", s, a, s)
    return pearson_distance(shaped[0], shaped[1], transition_weights)


# --- rewards against labels, with intervals -----------------------------------------------------


def measure_epic(
    rewards: Mapping[float, ArrayLike],
    labels: ArrayLike,
    clusters: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """EPIC of rewards to labels, for every alpha, with companions and 95 % intervals.

    The intervals are percentiles over bootstrap resamples. Resamples without one of the classes,
    in which no measure is defined, are left out.

    Args:
        rewards: Alpha to rewards ``[N]``.
        labels: Whether each state is a success, bool ``[N]``.
        clusters: What each state was taken from, for example its trajectory, ``[N]``: states of a
            cluster depend on each other, and are drawn together. Each state alone if left out.
        bootstrap: How many resamples.
        seed: Seed of the resampling; all alphas see the same resamples.

    Returns:
        One row per alpha: alpha, n (states), p (share of successes); then epic (0 is best),
        epic_balanced (`class_balanced_distance`), auroc and spearman (1 is best), each with the
        ends of its interval, ``_low`` and ``_high``.

    Raises:
        ValueError: Rewards that are constant (up to rounding) or not finite, only one class,
            lengths that differ, a single cluster, fewer than one resample, or so few that all
            of them miss a class.
    """
    truth = _labels(labels)
    table = []
    for alpha, reward in rewards.items():
        try:
            values, _ = _rewards_and_labels(reward, truth)
            _refuse_constant("the reward", values)
            point = (
                pearson_distance(values, truth),
                class_balanced_distance(values, truth),
                auroc(values, truth),
                spearman(values, truth),
            )
        except ValueError as error:
            raise ValueError(f"alpha {alpha:g}: {error}") from error
        table.append((alpha, values, point))
    if not table:
        raise ValueError("there are no rewards")

    resampled = _bootstrap([values for _, values, _ in table], truth, clusters, bootstrap, seed)
    if np.isnan(resampled).all(axis=1).any():
        raise ValueError(
            f"none of the {bootstrap} resamples holds both successes and failures; use more"
        )
    intervals = np.nanquantile(resampled, (0.025, 0.975), axis=1)
    rows = []
    for (alpha, _, point), low, high in zip(table, *intervals, strict=True):
        row: dict[str, float] = {"alpha": alpha, "n": len(truth), "p": float(truth.mean())}
        for name, *value in zip(MEASURES, point, low, high, strict=True):
            row |= zip((name, f"{name}_low", f"{name}_high"), map(float, value), strict=True)
        rows.append(row)
    return pd.DataFrame(rows)


def _bootstrap(
    rewards: list[Floats],
    labels: NDArray[np.bool_],
    clusters: ArrayLike | None,
    resamples: int,
    seed: int,
) -> Floats:
    """`MEASURES` of resamples: ``[A, B, 4]``, NaN where they are undefined."""
    members = np.arange(len(labels)) if clusters is None else np.asarray(clusters)
    if members.shape != labels.shape:
        raise ValueError(f"clusters and labels differ in shape: {members.shape}, {labels.shape}")
    names, member_of = np.unique(members, return_inverse=True)
    if len(names) < 2:
        raise ValueError("all states are of one cluster; an interval needs at least two")
    if resamples < 1:
        raise ValueError(f"bootstrap must be at least 1, got {resamples}")
    rng = np.random.default_rng(seed)
    equal = np.full(len(names), 1 / len(names))
    sorted_rewards = [_Sorted(values, labels) for values in rewards]
    result = np.empty((len(rewards), resamples, len(MEASURES)))
    rows = max(1, CHUNK // len(labels))
    for start in range(0, resamples, rows):
        part = slice(start, min(start + rows, resamples))
        drawn = rng.multinomial(len(names), equal, size=part.stop - part.start)
        counts = drawn.astype(np.float64)[:, member_of]
        for a, values in enumerate(sorted_rewards):
            result[a, part] = values.measure(counts)
    return result


class _Sorted:
    """Rewards ``[N]`` in increasing order, to be measured under many sets of counts."""

    def __init__(self, rewards: Floats, labels: NDArray[np.bool_]):
        # Of each class apart, so that counts need no masking.
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
        """`MEASURES` ``[B, 4]`` where state i occurs ``counts[b, i]`` times, ``[B, N]``."""
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

            wins, ties = self._ranks(drawn)
            area = wins / (n1 * n0)
            # The variance of n ranks among which t are tied, summed over all ties.
            rank_variance = (n**3 - ties) / (12 * n)
            rank_rho = (area - 0.5) * np.sqrt(n1 * n0) / _root(rank_variance)
        return np.stack([_distance(rho), _distance(balanced_rho), area, rank_rho], axis=1)

    def _ranks(self, drawn: list[Floats]) -> tuple[Floats, Floats]:
        """Pairs that a success wins, a tie being half a win; cubes of the sizes of all ties."""
        positive, negative = (
            self._by_level(d, level) for d, level in zip(drawn, self._level, strict=True)
        )
        below = np.cumsum(negative, axis=1) - negative / 2
        ties = positive + negative
        return np.einsum("bl,bl->b", positive, below), np.einsum("bl,bl,bl->b", ties, ties, ties)

    def _by_level(self, drawn: Floats, level: NDArray[np.intp]) -> Floats:
        """Counts ``[B, levels]`` of each distinct reward, from those of sorted states."""
        first = np.flatnonzero(np.diff(level, prepend=-1))
        by_level = np.zeros((len(drawn), self._levels))
        by_level[:, level[first]] = np.add.reduceat(drawn, first, axis=1)
        return by_level


def _root(variance: Floats) -> Floats:
    """Standard deviation; NaN where nothing but rounding errors varies."""
    return np.sqrt(np.where(variance > ROUNDING**2, variance, np.nan))


def _distance(rho: Floats) -> Floats:
    return np.sqrt((1 - np.clip(rho, -1, 1)) / 2)


# --- checks -------------------------------------------------------------------------------------


def _finite(name: str, values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
    return array


def _shares(weights: ArrayLike | None, shape: tuple[int, ...]) -> Floats:
    """Weights of the given shape with sum 1."""
    share = np.ones(shape) if weights is None else _finite("weights", weights)
    if share.shape != shape:
        raise ValueError(f"weights have shape {share.shape}, not {shape}")
    if (share < 0).any() or not share.any():
        raise ValueError("weights must not be negative, nor all zero")
    normalised: Floats = share / share.sum()
    return normalised


def _refuse_constant(name: str, values: Floats) -> None:
    if np.ptp(values) <= ROUNDING * np.abs(values).max():
        raise ValueError(f"{name} is constant up to rounding: its correlation is undefined")


def _standardise(name: str, values: Floats, share: Floats) -> Floats:
    """Shifted and scaled to weighted mean 0 and variance 1."""
    _refuse_constant(name, values[share > 0])
    centred = values - np.sum(share * values)
    # Of two steps, since squares of very small or large numbers leave the range of floats.
    centred /= np.abs(centred[share > 0]).max()
    standard: Floats = centred / np.sqrt(np.sum(share * centred**2))
    return standard


def _labels(labels: ArrayLike) -> NDArray[np.bool_]:
    array = np.asarray(labels)
    truth = array.astype(np.bool_)
    if array.ndim != 1 or not np.array_equal(array, truth):
        raise ValueError("labels must be one-dimensional and hold true and false (1 and 0) alone")
    if truth.all() or not truth.any():
        raise ValueError("all labels are the same; both successes and failures are needed")
    return truth


def _rewards_and_labels(rewards: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    values, truth = _finite("rewards", rewards), _labels(labels)
    if values.shape != truth.shape:
        raise ValueError(f"rewards and labels differ in shape: {values.shape}, {truth.shape}")
    return values, truth
