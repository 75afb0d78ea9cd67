"""Rewards as differences from their mean."""

import numpy as np
import pytest
from gymnasium.spaces import Box

from vlmrm.config import SAC
from vlmrm.training.algorithms import agent_settings
from vlmrm.training.buffers import CenteredReplayBuffer

SPACE = Box(-1, 1, (1,))


def filled(rewards, size=8):
    buffer = CenteredReplayBuffer(size, SPACE, SPACE, device="cpu")
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


def test_agents_learn_so_when_asked():
    agent = SAC(algorithm="sac", total_timesteps=10, center_rewards=True)
    assert agent_settings(agent)["replay_buffer_class"] is CenteredReplayBuffer
    assert "replay_buffer_class" not in agent_settings(SAC(algorithm="sac", total_timesteps=10))
