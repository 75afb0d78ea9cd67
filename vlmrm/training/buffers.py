"""Rewards as differences from their mean, for discounts near 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples


class CenteredReplayBuffer(ReplayBuffer):
    """Takes the mean of all rewards that it holds from those that it gives out.

    The mean alone adds up to values of ``mean / (1 - gamma)``, which say nothing of what to do but
    have to be learned first (Naik et al., 2024, arXiv 2405.09999). The best policy stays the same
    where episodes end by time alone.
    """

    def _get_samples(self, batch_inds: NDArray[np.int64], env: Any = None) -> ReplayBufferSamples:
        samples = super()._get_samples(batch_inds, env)
        mean = float(self.rewards[: self.size()].mean())
        return samples._replace(rewards=samples.rewards - mean)
