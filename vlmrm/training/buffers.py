"""Replay buffers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.buffers import NStepReplayBuffer


class CenteredReplayBuffer(NStepReplayBuffer):
    """Subtracts the mean of all rewards in the buffer from sampled rewards.

    The mean adds ``mean / (1 - gamma)`` to every value. It does not affect which action is best,
    but with a discount near 1 it has to be learned first (Naik et al., 2024, arXiv 2405.09999). The
    best policy stays the same if episodes end only by their time limit.
    """

    def _normalize_reward(
        self, reward: NDArray[np.float32], env: Any = None
    ) -> NDArray[np.float32]:
        return reward - self.rewards[: self.size()].mean()
