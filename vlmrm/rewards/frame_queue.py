"""Rewards of frames that are scored later, many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.errors import UserError

FrameScorer = Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]]
"""Uint8 RGB frames ``[M, H, W, 3]`` to rewards ``[M]``, for example a `vlmrm.VLMReward`."""


class FrameQueue:
    """Collects frames, and writes their rewards into an array.

    Args:
        reward: Computes the rewards.
        rewards: Array for the rewards, such as those of a rollout ``[steps, N]``.
        frames_per_call: Number of frames that are scored as soon as they have been added. Frames
            are kept until then: 480 x 480 pixels take 0.7 MB each.
    """

    def __init__(
        self, reward: FrameScorer, rewards: NDArray[np.floating[Any]], frames_per_call: int = 256
    ):
        self.reward = reward
        self.rewards = rewards
        self.frames_per_call = frames_per_call
        self._waiting: list[tuple[Any, NDArray[np.uint8]]] = []

    def __len__(self) -> int:
        """Number of frames without a reward."""
        return sum(len(frames) for _, frames in self._waiting)

    def add(self, index: Any, frames: NDArray[np.uint8]) -> None:
        """Adds frames whose rewards belong to ``rewards[index]``.

        Args:
            index: Any index of NumPy that selects as many entries as there are frames.
            frames: Uint8 ``[M, H, W, 3]``; not copied.
        """
        if not len(frames):
            return  # of no size, where a step has only reset all environments
        self._waiting.append((index, frames))
        if len(self) >= self.frames_per_call:
            self.flush()

    def flush(self) -> None:
        """Writes the rewards of all frames.

        Raises:
            UserError: A reward is not finite.
        """
        if not len(self):
            return
        frames = np.concatenate([frames for _, frames in self._waiting])
        rewards = check_rewards(self.reward(frames), (len(frames),))
        start = 0
        for index, frames in self._waiting:
            self.rewards[index] = rewards[start : start + len(frames)]
            start += len(frames)
        self._waiting = []  # not before: an interrupted call is made again


def check_rewards(
    rewards: NDArray[np.floating[Any]], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Rewards as float32, if they are as expected.

    Raises:
        ValueError: They are of another shape.
        UserError: A reward is not finite.
    """
    rewards = np.asarray(rewards, dtype=np.float32)
    if rewards.shape != shape:
        raise ValueError(f"rewards must be of shape {shape}, got {rewards.shape}")
    if wrong := np.count_nonzero(~np.isfinite(rewards)):
        raise UserError(
            f"the reward is not finite in {wrong} of {rewards.size} steps, so the training "
            "ends; use another model or reward"
        )
    return rewards
