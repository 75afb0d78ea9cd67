"""Rewards of an agent's steps: from their frames, from their states, or the environment's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FRAMES_PER_CALL = 1024
"""Frames per call. A round with fewer frames is scored at once, after its last step."""


@dataclass(frozen=True)
class StepBatch:
    """K successive steps of N environments; every entry belongs to the state after its step."""

    states: NDArray[np.float64]
    """Simulator states ``[K, N, D]``."""
    environment_rewards: NDArray[np.float32]
    """The environments' own rewards ``[K, N]``."""
    dones: NDArray[np.bool_]
    """Whether the episode ended, ``[K, N]``."""
    frames: NDArray[np.uint8] | None = None
    """Frames of the states ``[K, N, H, W, 3]``, if the reward source needs them."""


class RewardSource(Protocol):
    """Computes the rewards of steps. Calls are in order, never from two threads at a time."""

    frames_per_call: int
    """Number of frames per call; 0 if it needs none."""

    state: Any
    """What later rewards depend on besides their own steps, for checkpoints; None for nothing."""

    def __call__(self, steps: StepBatch) -> NDArray[np.floating[Any]]:
        """Rewards ``[K, N]``."""


class FrameReward:
    """Computes rewards from frames, for example with a `vlmrm.rewards.vlm.VLMReward`.

    Args:
        reward: Takes uint8 frames ``[M, H, W, 3]``, returns rewards ``[M]``.
        frames_per_call: Maximum number of frames per call.
    """

    state = None

    def __init__(
        self,
        reward: Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]],
        frames_per_call: int = FRAMES_PER_CALL,
    ):
        self._reward = reward
        self.frames_per_call = frames_per_call

    def __call__(self, steps: StepBatch) -> NDArray[np.floating[Any]]:
        assert steps.frames is not None
        return self._reward(_flat(steps.frames)).reshape(steps.dones.shape)


class StateReward:
    """Computes rewards from simulator states: an oracle or a look-up.

    Args:
        reward: Takes states ``[M, D]``, returns rewards or truth values ``[M]``.
    """

    frames_per_call = 0
    state = None

    def __init__(self, reward: Callable[[NDArray[np.float64]], NDArray[Any]]):
        self._reward = reward

    def __call__(self, steps: StepBatch) -> NDArray[np.floating[Any]]:
        rewards: NDArray[np.float32] = self._reward(_flat(steps.states)).astype(np.float32)
        return rewards.reshape(steps.dones.shape)


class EnvironmentReward:
    """The environment's own reward."""

    frames_per_call = 0
    state = None

    def __call__(self, steps: StepBatch) -> NDArray[np.floating[Any]]:
        return steps.environment_rewards


def _flat(array: NDArray[Any]) -> NDArray[Any]:
    """``[K, N, ...]`` as ``[K * N, ...]``."""
    return array.reshape(-1, *array.shape[2:])
