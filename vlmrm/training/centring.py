"""Rewards as differences from their mean, for discounts near 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer


class CentredReplayBuffer(ReplayBuffer):
    """Takes the mean of all rewards that it holds from those that it gives out.

    The mean alone adds up to values of ``mean / (1 - gamma)``, which say nothing of what to do but
    have to be learned first (Naik et al., 2024, arXiv 2405.09999). The best policy stays the same
    where episodes end by time alone.
    """

    def _normalize_reward(
        self, reward: NDArray[np.float32], env: Any = None
    ) -> NDArray[np.float32]:
        centred: NDArray[np.float32] = reward - self.rewards[: self.size()].mean()
        return centred
