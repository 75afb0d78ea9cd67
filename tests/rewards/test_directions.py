"""Rewards of images by every scoring."""

import numpy as np
import pytest

from vlmrm.rewards.contrast import contrast_reward
from vlmrm.rewards.directions import Directions
from vlmrm.rewards.goal_baseline import goal_baseline_reward

GOAL, BASELINE, OTHER = np.eye(4)[:3]
IMAGES = np.random.default_rng(0).dirichlet(np.ones(4), size=6) ** 0.5


def test_rewards_come_in_the_order_of_the_scorings():
    rewards = Directions(GOAL, BASELINE, [OTHER]).rewards(
        IMAGES, ["contrast-0.1", "alpha-0.5", "alpha-0"]
    )
    assert list(rewards) == ["contrast-0.1", "alpha-0.5", "alpha-0"]
    contrast, half, plain = rewards.values()
    np.testing.assert_allclose(contrast, contrast_reward(IMAGES, GOAL, [OTHER], 0.1))
    np.testing.assert_allclose(half, goal_baseline_reward(IMAGES, GOAL, BASELINE, 0.5))
    np.testing.assert_allclose(plain, IMAGES @ GOAL)


def test_a_scoring_needs_its_sentences():
    goal_alone = Directions(GOAL)
    np.testing.assert_allclose(goal_alone.rewards(IMAGES, ["alpha-0"])["alpha-0"], IMAGES @ GOAL)
    with pytest.raises(ValueError, match="baseline"):
        goal_alone.rewards(IMAGES, ["alpha-0.5"])
    with pytest.raises(ValueError, match="other sentences"):
        goal_alone.rewards(IMAGES, ["contrast-0.1"])
