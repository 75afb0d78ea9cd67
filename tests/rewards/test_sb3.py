"""Rewards of frames in the algorithms of Stable-Baselines3, as they are."""

import functools
import pickle

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.buffers import NStepReplayBuffer, ReplayBuffer
from stable_baselines3.common.callbacks import CheckpointCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecNormalize

from tests.rewards.counting import CountingEnv, shown
from vlmrm import (
    FrameInfoWrapper,
    VLMReward,
    VLMRewardReplayBuffer,
    VLMRewardVecEnvWrapper,
    VLMRewardWrapper,
)

GOAL = "pole vertically upright on top of the cart"
ACTIONS = np.zeros((2, 1), np.float32)
SMALL = {"learning_starts": 4, "batch_size": 8, "seed": 0}


def counting(length=3):
    return FrameInfoWrapper(CountingEnv(length))


def two(kind=DummyVecEnv):
    return kind([functools.partial(counting, 3), functools.partial(counting, 2)])


@pytest.mark.parametrize("kind", [DummyVecEnv, SubprocVecEnv])
def test_the_last_frame_of_an_episode_belongs_to_it(kind):
    env = VLMRewardVecEnvWrapper(two(kind), shown)
    first = env.reset()
    steps = [env.step(ACTIONS) for _ in range(4)]
    env.close()
    start = 100 * first[:, 0]
    rewards = np.array([step[1] for step in steps]) - start
    assert rewards.tolist() == [[1, 1], [2, 2], [3, 101], [101, 102]]
    assert [step[2].tolist() for step in steps[1:3]] == [[False, True], [True, False]]
    infos = [info for step in steps for info in step[3]]
    assert all(info["environment_reward"] == -1 and "frame" not in info for info in infos)


def test_many_environments_get_the_rewards_of_the_wrapper_of_one(model_folder):
    reward = VLMReward.load(model_folder, GOAL, device="cpu")
    make = {"render_mode": "rgb_array", "max_episode_steps": 4}
    env = make_vec_env("CartPole-v1", 2, 3, env_kwargs=make, wrapper_class=FrameInfoWrapper)
    env = VLMRewardVecEnvWrapper(env, reward)
    single = [VLMRewardWrapper(gym.make("CartPole-v1", **make), reward) for _ in range(2)]
    env.reset()
    for number, one in enumerate(single):
        one.reset(seed=3 + number)
    for _ in range(6):  # beyond the end of the first episode
        _, rewards, dones, _ = env.step(np.array([1, 0]))
        expected = [one.step(action)[1] for one, action in zip(single, (1, 0), strict=True)]
        np.testing.assert_allclose(rewards, expected, atol=1e-5)
        for number in np.flatnonzero(dones):
            single[number].reset()


def test_without_frames_the_first_step_says_what_to_do():
    env = VLMRewardVecEnvWrapper(DummyVecEnv([CountingEnv]), shown)
    env.reset()
    with pytest.raises(ValueError, match="wrap each environment in FrameInfoWrapper"):
        env.step(ACTIONS[:1])


def agent_with(buffer, env, algorithm=SAC, **settings):
    arguments = {"reward": shown} if buffer is VLMRewardReplayBuffer else {}
    kwargs = arguments | settings.pop("replay_buffer_kwargs", {})
    return algorithm(
        "MlpPolicy",
        env,
        replay_buffer_class=buffer,
        replay_buffer_kwargs=kwargs,
        policy_kwargs={"net_arch": [8]},
        **SMALL | settings,
    )


def weights_of(agent):
    return torch.cat([weights.flatten() for weights in agent.policy.parameters()])


@pytest.mark.parametrize("buffer_size", [1000, 20])  # the latter is full after 10 steps
@pytest.mark.parametrize("n_steps", [1, 3])
@pytest.mark.parametrize("train_freq", [1, 7])
def test_agents_learn_as_from_rewards_that_come_at_once(buffer_size, n_steps, train_freq):
    settings = {"buffer_size": buffer_size, "train_freq": train_freq, "gradient_steps": 2}
    kind, kwargs = ReplayBuffer, {}
    if n_steps > 1:
        kind, kwargs = NStepReplayBuffer, {"n_steps": n_steps, "gamma": 0.99}
    at_once = agent_with(
        kind, VLMRewardVecEnvWrapper(two(), shown), replay_buffer_kwargs=kwargs, **settings
    ).learn(60)
    late = agent_with(VLMRewardReplayBuffer, two(), replay_buffer_kwargs=kwargs, **settings).learn(
        60
    )
    assert torch.equal(weights_of(late), weights_of(at_once))
    late.replay_buffer.sample(1)
    np.testing.assert_equal(late.replay_buffer.rewards, at_once.replay_buffer.rewards)


def test_the_discount_is_the_agents_unless_several_rewards_are_summed():
    agent = agent_with(VLMRewardReplayBuffer, two(), gamma=0.5).learn(8)
    assert agent.replay_buffer.sample(2).discounts is None
    with pytest.raises(ValueError, match="n_steps above 1 need gamma"):
        agent_with(VLMRewardReplayBuffer, two(), replay_buffer_kwargs={"n_steps": 3})
    spaces = gym.spaces.Dict({"x": CountingEnv.observation_space}), CountingEnv.action_space
    with pytest.raises(ValueError, match="flatten them"):
        VLMRewardReplayBuffer(9, *spaces, reward=shown)


def test_frames_are_scored_in_few_calls():
    calls = []

    def reward(frames):
        calls.append(len(frames))
        return shown(frames)

    kwargs = {"reward": reward, "frames_per_call": 10}
    agent_with(VLMRewardReplayBuffer, two(), train_freq=20, replay_buffer_kwargs=kwargs).learn(80)
    # A batch whenever there are ten frames, and none for each of the gradient steps.
    assert calls == [10] * 8


def test_discrete_actions_learn_too():
    env = make_vec_env(
        "CartPole-v1", 2, env_kwargs={"render_mode": "rgb_array"}, wrapper_class=FrameInfoWrapper
    )
    agent = agent_with(VLMRewardReplayBuffer, env, DQN).learn(40)
    agent.replay_buffer.sample(1)  # scores what came last
    assert np.isfinite(agent.replay_buffer.rewards[: agent.replay_buffer.size()]).all()


def test_agents_and_buffers_are_saved_with_the_folder_of_the_model(model_folder, tmp_path):
    reward = VLMReward.load(model_folder, GOAL, device="cpu")
    kwargs = {"reward": reward}
    agent = agent_with(VLMRewardReplayBuffer, two(), replay_buffer_kwargs=kwargs, train_freq=99)
    saving = CheckpointCallback(10, str(tmp_path), save_replay_buffer=True)
    agent.learn(26, callback=saving)
    weights = (model_folder / "open_clip_model.safetensors").stat().st_size
    assert (tmp_path / "rl_model_20_steps.zip").stat().st_size < weights / 2

    loaded = SAC.load(tmp_path / "rl_model_20_steps.zip", env=two())
    loaded.load_replay_buffer(tmp_path / "rl_model_replay_buffer_20_steps.pkl")
    kept = loaded.replay_buffer
    assert np.isfinite(kept.rewards[: kept.pos]).all()
    loaded.learn(20, reset_num_timesteps=False)
    kept.sample(1)
    assert np.isfinite(kept.rewards[: kept.pos]).all()
    frames = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reward))(frames), reward(frames))
    # Several sentences share one model, also afterwards.
    both = [reward, VLMReward(reward.model, "another sentence")]
    first, second = pickle.loads(pickle.dumps(both))
    assert first.model is second.model
    np.testing.assert_array_equal(second(frames), both[1](frames))


def test_rewards_are_not_scaled_by_those_of_the_environments():
    agent = agent_with(VLMRewardReplayBuffer, VecNormalize(two()))
    with pytest.raises(ValueError, match="norm_reward=False"):
        agent.learn(26)
    agent_with(VLMRewardReplayBuffer, VecNormalize(two(), norm_reward=False)).learn(26)


def test_rewards_that_were_not_scored_yet_are_no_numbers_where_those_of_environments_are_integers():
    spaces = CountingEnv.observation_space, CountingEnv.action_space
    buffer = VLMRewardReplayBuffer(9, *spaces, reward=shown)
    observation, info = np.zeros((1, 2)), {"frame": np.zeros((2, 4, 3), np.uint8)}
    buffer.add(observation, observation, ACTIONS[:1], np.array([1]), np.array([False]), [info])
    assert np.isnan(buffer.rewards[0]).all()
