"""Rewards of many Gymnasium environments in one call."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils import env_checker
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from stable_baselines3.common import env_checker as stable_env_checker

from tests.rewards.counting import CountingEnv, shown
from vlmrm import FrameInfoWrapper, VLMReward, VLMRewardVectorWrapper, VLMRewardWrapper
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel

GOAL, BASELINE = "pole vertically upright on top of the cart", "pole and cart"
ACTIONS = np.zeros((2, 1), np.float32)


@pytest.fixture(scope="module")
def reward(model_folder):
    model = ClipModel.load(model_folder, "cpu")
    return VLMReward(model, GOAL, BASELINE, "alpha-0.5")


def cartpole():
    return gym.make("CartPole-v1", render_mode="rgb_array", max_episode_steps=5)


def counting(mode, kind=SyncVectorEnv, lengths=(3, 2)):
    makes = [functools.partial(_counting, length) for length in lengths]
    return VLMRewardVectorWrapper(kind(makes, autoreset_mode=mode), shown)


def _counting(length):
    return FrameInfoWrapper(CountingEnv(length))


def test_the_wrapper_rewards_the_frame_after_the_step(reward):
    env = VLMRewardWrapper(cartpole(), reward)
    env.reset(seed=0)
    *_, first, _, _, info = env.step(1)
    assert first == pytest.approx(float(reward(env.render()[None])[0]))
    assert info["environment_reward"] == 1
    env.close()


@pytest.mark.filterwarnings("ignore")  # recommendations
@pytest.mark.parametrize("check", [env_checker.check_env, stable_env_checker.check_env])
@pytest.mark.parametrize(
    "wrap", [FrameInfoWrapper, functools.partial(VLMRewardWrapper, reward=shown)]
)
def test_the_wrappers_pass_the_checks_of_environments(check, wrap):
    check(wrap(cartpole()))


@pytest.mark.parametrize(
    "wrap", [FrameInfoWrapper, functools.partial(VLMRewardWrapper, reward=shown)]
)
def test_the_wrappers_need_an_environment_that_renders(wrap):
    with pytest.raises(ValueError, match='render_mode="rgb_array", not None'):
        wrap(gym.make("CartPole-v1"))


def test_a_frame_stays_when_the_environment_renders_the_next_one_into_the_same_array():
    class Reusing(CountingEnv):
        canvas = np.zeros((2, 4, 3), np.uint8)

        def render(self):
            self.canvas[:] = super().render()
            return self.canvas

    env = FrameInfoWrapper(Reusing())
    env.reset()
    frames = [env.step(ACTIONS[0])[-1]["frame"] for _ in range(2)]
    assert shown(np.stack(frames)).tolist() == [101, 102]


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
@pytest.mark.parametrize(
    ("mode", "rewards"),
    [
        # A step that only resets an environment has reward 0.
        (AutoresetMode.NEXT_STEP, [[101, 101], [102, 102], [103, 0], [0, 201], [201, 202]]),
        (AutoresetMode.SAME_STEP, [[101, 101], [102, 102], [103, 201], [201, 202], [202, 301]]),
    ],
)
def test_the_last_frame_of_an_episode_is_rewarded_in_each_mode_of_resets(kind, mode, rewards):
    envs = counting(mode, kind)
    envs.reset(seed=0)
    steps = [envs.step(ACTIONS) for _ in rewards]
    envs.close()
    assert [step[1].tolist() for step in steps] == rewards
    # The ends are those of the environments.
    assert [step[3].tolist() for step in steps[1:3]] == [[False, True], [True, False]]


def test_without_automatic_resets_the_caller_resets_what_has_ended():
    envs = counting(AutoresetMode.DISABLED)
    envs.reset(seed=0)
    rewards = []
    for _ in range(5):
        _, values, _, truncated, _ = envs.step(ACTIONS)
        rewards.append(values.tolist())
        if truncated.any():
            envs.reset(options={"reset_mask": truncated})
    assert rewards == [[101, 101], [102, 102], [103, 201], [201, 202], [202, 301]]


def test_the_infos_keep_the_rewards_of_the_environments_and_drop_the_frames():
    envs = counting(AutoresetMode.NEXT_STEP)
    envs.reset(seed=0)
    infos = [envs.step(ACTIONS)[-1] for _ in range(3)]
    assert infos[0]["environment_reward"].tolist() == [-1, -1]
    assert infos[2]["environment_reward"].tolist() == [-1, 0]
    assert infos[2]["_environment_reward"].tolist() == [True, False]
    assert not any("frame" in info for info in infos)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_all_environments_may_end_at_once(mode):
    envs = counting(mode, lengths=(1, 1))
    envs.reset(seed=0)
    rewards = [envs.step(ACTIONS)[1].tolist() for _ in range(3)]
    expected = [[101, 101], [0, 0], [201, 201]]
    if mode == AutoresetMode.SAME_STEP:
        expected = [[101, 101], [201, 201], [301, 301]]
    assert rewards == expected


def test_without_frames_the_first_step_says_what_to_do():
    envs = VLMRewardVectorWrapper(SyncVectorEnv([CountingEnv, CountingEnv]), shown)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="wrap each environment in FrameInfoWrapper"):
        envs.step(ACTIONS)


@pytest.mark.parametrize("mode", AutoresetMode)
def test_an_environment_without_frames_is_noticed_beside_others(mode):
    makes = [functools.partial(_counting, 3), CountingEnv]
    envs = VLMRewardVectorWrapper(SyncVectorEnv(makes, autoreset_mode=mode), shown)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="an info has no 'frame'; wrap each environment"):
        envs.step(ACTIONS)


def test_frames_that_vanish_after_an_episode_are_noticed():
    class Vanishing(FrameInfoWrapper):
        def step(self, action):
            *result, info = super().step(action)
            if self.unwrapped.episode > 1:
                del info["frame"]
            return *result, info

    makes = [lambda: Vanishing(CountingEnv(1))]
    envs = SyncVectorEnv(makes, autoreset_mode=AutoresetMode.SAME_STEP)
    envs = VLMRewardVectorWrapper(envs, shown)
    envs.reset(seed=0)
    envs.step(ACTIONS[:1])
    with pytest.raises(ValueError, match="an info has no 'frame'"):
        envs.step(ACTIONS[:1])


def test_a_reset_of_some_environments_leaves_the_others_as_they_are():
    envs = counting(AutoresetMode.NEXT_STEP, lengths=(1, 3))
    envs.reset(seed=0)
    envs.step(ACTIONS)
    envs.reset(options={"reset_mask": np.array([False, True])})
    assert envs.step(ACTIONS)[1].tolist() == [0, 201]


def test_a_reward_of_the_wrong_shape_is_refused():
    envs = VLMRewardVectorWrapper(counting(AutoresetMode.NEXT_STEP).env, lambda frames: frames[0])
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=r"rewards must be of shape \(2,\), got \(2, 4, 3\)"):
        envs.step(ACTIONS)


@pytest.mark.parametrize("wrap", [VLMRewardWrapper, VLMRewardVectorWrapper])
def test_a_reward_that_is_not_finite_is_refused(wrap):
    def broken(frames):
        return np.full(len(frames), np.nan)

    env = cartpole()
    if wrap is VLMRewardVectorWrapper:
        env = SyncVectorEnv([lambda: FrameInfoWrapper(cartpole())])
    env = wrap(env, broken)
    env.reset(seed=0)
    with pytest.raises(UserError, match="not finite in 1 of 1"):
        env.step(env.action_space.sample())
    env.close()


def test_many_environments_get_the_rewards_of_the_wrapper_of_one(reward):
    envs = gym.make_vec(
        "CartPole-v1",
        num_envs=3,
        vectorization_mode="sync",
        render_mode="rgb_array",
        max_episode_steps=5,
        wrappers=[FrameInfoWrapper],
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
    )
    envs = VLMRewardVectorWrapper(envs, reward)
    single = [VLMRewardWrapper(cartpole(), reward) for _ in range(3)]
    envs.reset(seed=7)
    for number, env in enumerate(single):
        env.reset(seed=7 + number)
    for _ in range(7):  # beyond the end of the first episode
        rewards = envs.step(np.array([1, 0, 1]))[1]
        expected = []
        for env, action in zip(single, (1, 0, 1), strict=True):
            _, value, terminated, truncated, _ = env.step(action)
            expected.append(value)
            if terminated or truncated:
                env.reset()
        np.testing.assert_allclose(rewards, expected, atol=1e-5)
