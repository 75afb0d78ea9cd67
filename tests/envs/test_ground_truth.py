import numpy as np
import pytest

from vlmrm.envs import make_env
from vlmrm.envs.ground_truth import GROUND_TRUTH


@pytest.mark.parametrize("name", GROUND_TRUTH)
def test_ground_truth_is_the_reward_of_the_environment(name):
    env = make_env(name, episode_steps=400)
    env.reset(seed=0)
    env.action_space.seed(0)
    before, actions, after, rewards = [], [], [], []
    for step in range(400):
        before.append(env.unwrapped.state_vector())
        # A car that always accelerates in its direction of motion reaches the flag.
        push = np.array([np.sign(before[-1][1]) or 1.0], dtype=np.float32)
        action = push if name == "mountain-car" and step > 20 else env.action_space.sample()
        rewards.append(env.step(action)[1])
        actions.append(action)
        after.append(env.unwrapped.state_vector())
    truth = GROUND_TRUTH[name].reward(np.array(before), np.array(actions), np.array(after))
    assert len(np.unique(rewards)) > 1
    np.testing.assert_allclose(truth, rewards, atol=1e-6)


@pytest.mark.parametrize("name", GROUND_TRUTH)
def test_actions_are_valid(name):
    space = make_env(name, 1).action_space
    assert all(space.contains(space.dtype.type(a)) for a in GROUND_TRUTH[name].actions)
