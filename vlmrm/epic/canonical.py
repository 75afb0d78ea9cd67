"""The general definition of EPIC, on tables of the rewards of all transitions among samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmrm.epic.checks import ROUNDING, Floats, finite, shares
from vlmrm.epic.distances import pearson_distance


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
) -> Floats:
    """The canonically shaped reward C(R) of a table of rewards.

    Args:
        rewards: ``[S, A, S]``, as from `tabulate`.
        discount: In [0, 1].
        state_weights: Distribution ``[S]`` of the reference states S and S'; uniform by default, as
            that of the reference actions always is.

    Returns:
        ``[S, A, S]``.

    Raises:
        ValueError: The table has another shape or holds numbers that are not finite, the discount
            is outside [0, 1], or weights are negative, all zero, or of the wrong length.
    """
    table = finite("rewards", rewards)
    if table.ndim != 3 or table.shape[0] != table.shape[2]:
        raise ValueError(f"rewards must have shape [S, A, S], got {table.shape}")
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must lie in [0, 1], got {discount}")
    of_state = shares(state_weights, (len(table),))
    # E[R(s, A, S')] for each state s; all three expectations follow from it.
    expected = table.mean(axis=1) @ of_state
    shaping = discount * expected - expected[:, None] - discount * (of_state @ expected)
    shaped: Floats = table + shaping[:, None, :]
    return shaped


def epic_distance(
    first: ArrayLike,
    second: ArrayLike,
    discount: float,
    state_weights: ArrayLike | None = None,
    transition_weights: ArrayLike | None = None,
) -> float:
    """EPIC distance between two tables of rewards ``[S, A, S]`` (from `tabulate`).

    Args:
        first: One reward.
        second: The other.
        discount: In [0, 1].
        state_weights: Distribution ``[S]`` of the states; uniform by default.
        transition_weights: Coverage distribution ``[S, A, S]`` over which the shaped rewards are
            compared; by default, that of independent states and uniform actions.

    Raises:
        ValueError: As in `canonical_shaping` and `pearson_distance`; a reward that is only
            potential shaping is constant here.
    """
    tables = [finite(name, r) for name, r in (("first", first), ("second", second))]
    shaped = [canonical_shaping(t, discount, state_weights) for t in tables]
    for name, table, canonical in zip(("first", "second"), tables, shaped, strict=True):
        if np.ptp(canonical) <= ROUNDING * np.abs(table).max():
            raise ValueError(f"{name} is constant after canonical shaping: its EPIC is undefined")
    if transition_weights is None:
        states, actions, _ = tables[0].shape
        s = shares(state_weights, (states,))
        transition_weights = np.einsum("s,a,t->sat", s, shares(None, (actions,)), s)
    return pearson_distance(shaped[0], shaped[1], transition_weights)
