"""The rewards of several members as one, on a common scale.

Rewards of different models, sentences, and views differ in level and spread. Member k is
standardized by the mean m_k and the standard deviation s_k of its rewards on a reference set of
states, which does not depend on the states that are scored:

    z_k(s) = (r_k(s) - m_k) / s_k

The reward of the ensemble is one of

    mean         mean_k z_k
    min          min_k z_k
    pessimistic  mean_k z_k - penalty * std_k z_k        penalty >= 0

Where the members disagree, the last two are lower. In language models, both keep an optimizer from
states that fool some members alone (Coste et al., "Reward Model Ensembles Help Mitigate
Overoptimization", ICLR 2024, section 3; there, the variance is subtracted).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmrm.config.base import Aggregate
from vlmrm.epic.checks import ROUNDING, finite


class Statistics(NamedTuple):
    """Mean and standard deviation of a member's rewards on the reference states."""

    mean: float
    std: float

    @classmethod
    def of(cls, rewards: ArrayLike) -> Statistics:
        """The statistics of rewards ``[N]``.

        Raises:
            ValueError: They are not finite, or equal up to rounding. Such a member says nothing
                about the states, and has no scale.
        """
        values = finite("rewards", rewards)
        if not values.size or np.ptp(values) <= ROUNDING * np.abs(values).max():
            raise ValueError("all reference states have the same reward")
        return cls(float(values.mean()), float(values.std()))


def aggregate_rewards(
    rewards: Sequence[ArrayLike],
    statistics: Sequence[tuple[float, float]],
    aggregate: Aggregate = "mean",
    penalty: float = 1.0,
) -> NDArray[np.float64]:
    """The reward of an ensemble.

    Args:
        rewards: Rewards ``[N]`` of each member.
        statistics: Mean and standard deviation of each member on the reference states.
        aggregate: How the standardized rewards become one.
        penalty: Weight of the standard deviation over the members, for ``pessimistic``.

    Returns:
        Rewards ``[N]``, in standard deviations from the mean of the reference states.

    Raises:
        ValueError: The numbers of rewards and statistics differ, or a standard deviation is not
            above 0.
    """
    if len(rewards) != len(statistics):
        raise ValueError(f"{len(rewards)} members, but statistics of {len(statistics)}")
    means, stds = np.reshape(np.asarray(statistics, dtype=np.float64), (-1, 2)).T
    if not (stds > 0).all():
        raise ValueError(f"standard deviations must be above 0, got {stds.tolist()}")
    standardized = (np.stack([np.asarray(r, np.float64) for r in rewards], axis=-1) - means) / stds
    match aggregate:
        case "min":
            lowest: NDArray[np.float64] = standardized.min(axis=-1)
            return lowest
        case "pessimistic":
            spread = standardized.std(axis=-1)
        case _:
            spread = np.zeros(standardized.shape[:-1])
    result: NDArray[np.float64] = standardized.mean(axis=-1) - penalty * spread
    return result
