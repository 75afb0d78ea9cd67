"""Rewards as differences from their mean."""

import numpy as np
import pytest
from gymnasium.spaces import Box

from vlmrm.training.buffers import CenteredReplayBuffer

SPACE = Box(-1, 1, (1,))


def filled(rewards, size=8, n_steps=1):
    buffer = CenteredReplayBuffer(size, SPACE, SPACE, device="cpu", n_steps=n_steps, gamma=0.5)
    for number, reward in enumerate(rewards):
        place = np.array([[number / 100]], np.float32)
        buffer.add(place, place, place, np.array([reward]), np.array([False]), [{}])
    return buffer


@pytest.mark.parametrize("shift", [0, 5])
def test_what_all_rewards_share_is_not_learned(shift):
    rewards = np.array([0.1, 0.2, 0.9, 0.4])
    sample = filled(rewards + shift).sample(64)
    which = (sample.observations[:, 0] * 100).round().long()
    expected = rewards - rewards.mean()
    np.testing.assert_allclose(sample.rewards[:, 0], expected[which], atol=1e-6)


def test_the_mean_is_of_what_is_still_kept():
    sample = filled([100, 100, 1, 2, 3, 4], size=4).sample(64)
    assert set(sample.rewards[:, 0].tolist()) == {-1.5, -0.5, 0.5, 1.5}


def test_each_of_several_rewards_is_centered():
    rewards = np.array([1.0, 2, 3, 6])
    sample = filled(rewards, n_steps=2).sample(64)
    which = (sample.observations[:, 0] * 100).round().long()
    expected = np.array([-2 - 0.5 * 1, -1 + 0.5 * 0, 0 + 0.5 * 3, 3])
    np.testing.assert_allclose(sample.rewards[:, 0], expected[which], atol=1e-6)
