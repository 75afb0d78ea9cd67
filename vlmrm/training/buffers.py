"""Replay buffers."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from stable_baselines3.common.buffers import NStepReplayBuffer


class CenteredReplayBuffer(NStepReplayBuffer):
    """Subtracts the mean of all rewards in the buffer from sampled rewards.

    The mean adds ``mean / (1 - gamma)`` to every value. It does not affect which action is best,
    but with a discount near 1 it has to be learned first (Naik et al., 2024, arXiv 2405.09999). The
    best policy stays the same if episodes end only by their time limit.
    """

    def _normalize_reward(  # type: ignore[override]  # does not depend on the buffer there
        self, reward: NDArray[Any], env: Any = None
    ) -> NDArray[Any]:
        centered: NDArray[Any] = reward - self.rewards[: self.size()].mean()
        return centered
