import copy

import numpy as np
import pytest
import torch
from stable_baselines3 import DQN, SAC

from tests.training.toy import Printer, reward_of_frames, reward_of_state, slider, states_in
from vlmrm.errors import UserError
from vlmrm.rewards.steps import EnvironmentReward, FrameReward, StateReward
from vlmrm.training.callbacks import DeferredCallback
from vlmrm.training.deferred import RING_CALLS, DeferredDQN, DeferredSAC, steps_per_call
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

SETTINGS = {
    "buffer_size": 60,
    "learning_starts": 10,
    "batch_size": 8,
    "train_freq": 5,
    "gradient_steps": 5,
    "policy_kwargs": {"net_arch": [8]},
    "seed": 0,
    "device": "cpu",
}


def agent_settings(**changes):
    # Stable-Baselines3 alters what it is given.
    return copy.deepcopy({**SETTINGS, **changes})


@pytest.fixture
def learner():
    """Trains an agent on the toy; returns it."""
    envs = []

    def learn(kind, steps=200, environments=3, source=None, workers=0, callback=None, **settings):
        source = source or FrameReward(reward_of_frames, frames_per_call=6)
        settings = agent_settings(**settings)
        env_settings = settings.pop("env", {})
        call = steps_per_call(source, environments, settings["train_freq"])
        spec = EnvSpec(
            slider(discrete=issubclass(kind, DQN), **env_settings),
            environments,
            Printer if source.frames_per_call else None,
            RING_CALLS * call,
        )
        envs.append(VectorEnv(spec, workers))
        return kind("MlpPolicy", envs[-1], reward=source, **settings).learn(steps, callback)

    yield learn
    for env in envs:
        env.close()


def weights(model):
    return torch.cat([p.detach().ravel() for p in model.policy.parameters()]).numpy()


@pytest.mark.parametrize("kind", [DeferredDQN, DeferredSAC])
@pytest.mark.parametrize(("environments", "workers"), [(1, 0), (3, 0), (3, 2)])
def test_every_reward_belongs_to_its_own_next_state(learner, kind, environments, workers):
    model = learner(kind, environments=environments, workers=workers)
    buffer = model.replay_buffer
    assert buffer.full, "the test shall see the buffer wrap round"
    assert buffer.dones.any()
    position, tenths = np.moveaxis(buffer.next_observations, -1, 0)
    np.testing.assert_allclose(buffer.rewards, -np.abs(position) + 0.01 * tenths, atol=1e-6)


@pytest.mark.parametrize(
    ("deferred", "plain", "optimizer"),
    # Fused, Adam rounds otherwise.
    [(DeferredDQN, DQN, {}), (DeferredSAC, SAC, {"optimizer_kwargs": {"fused": True}})],
)
@pytest.mark.parametrize(("train_freq", "n_steps"), [(1, 1), (5, 1), (5, 3)])
def test_learns_exactly_what_the_rewards_of_the_environment_teach(
    learner, deferred, plain, optimizer, train_freq, n_steps
):
    steps = 120  # fill the replay buffer twice
    often = {"train_freq": train_freq, "gradient_steps": train_freq, "n_steps": n_steps}
    model = learner(deferred, steps, **often, workers=1)
    assert model.replay_buffer.full
    env = VectorEnv(EnvSpec(slider(discrete=plain is DQN), 3), workers=0)
    settings = agent_settings(**often)
    settings["policy_kwargs"] = {**settings.get("policy_kwargs", {}), **optimizer}
    expected = plain("MlpPolicy", env, **settings).learn(steps)
    np.testing.assert_array_equal(weights(model), weights(expected))


@pytest.mark.parametrize(
    "source", [StateReward(reward_of_state), EnvironmentReward()], ids=["state", "environment"]
)
def test_rewards_need_no_frames(learner, source):
    by_frames, other = learner(DeferredDQN), learner(DeferredDQN, source=source)
    np.testing.assert_array_equal(by_frames.replay_buffer.rewards, other.replay_buffer.rewards)


def test_a_time_limit_does_not_stop_bootstrapping(learner):
    model = learner(
        DeferredDQN,
        steps=1500,
        source=FrameReward(lambda frames: np.ones(len(frames))),
        env={"episode_steps": 2},
        gamma=0.5,
        learning_rate=0.02,
        target_update_interval=6,
    )
    observations, _ = model.policy.obs_to_tensor(model.replay_buffer.observations[:, 0])
    values = model.q_net(observations).detach().numpy()
    # 1 + 1/2 + 1/4 + ...; an end after two steps would make it 1.5 at most.
    assert values.max(axis=1).min() > 1.7


def test_a_fall_does_stop_bootstrapping(learner):
    model = learner(DeferredDQN, env={"fall_at": 1.8})
    buffer = model.replay_buffer
    fallen = np.abs(buffer.next_observations[..., 0]) > 1.8
    assert fallen.any()
    assert (buffer.dones > fallen).any(), "some episodes shall end by their time limit"
    np.testing.assert_array_equal(buffer.dones * (1 - buffer.timeouts), fallen)


def test_frames_come_in_batches_and_in_order(learner):
    calls = []

    def reward(frames):
        calls.append(states_in(frames))
        return np.zeros(len(frames))

    learner(DeferredDQN, steps=30, source=FrameReward(reward, frames_per_call=6), workers=2)
    # Rounds of 5 steps of 3 environments, at most 6 frames at a time.
    assert [len(states) for states in calls] == [6, 6, 3] * 2
    steps = np.concatenate(calls)[:, 1].reshape(10, 3)
    np.testing.assert_array_equal(steps[:, 0], [1, 2, 3, 4, 5, 6, 7, 1, 2, 3])


def test_callbacks_see_each_step_once_and_in_its_round(learner):
    class Diary(DeferredCallback):
        def __init__(self):
            super().__init__()
            self.steps, self.hooks = [], ""

        def _on_rollout_start(self):
            self.hooks += "("

        def _on_step(self):
            self.hooks += "."
            return True

        def _on_rollout_end(self):
            self.hooks += ")"
            for steps, rewards in self.model.rewarded:
                np.testing.assert_allclose(rewards, reward_of_state(steps.states), rtol=1e-6)
                self.steps.extend(steps.states[:, 0, 1])

        def _on_training_end(self):
            self.hooks += "!"

    diary = Diary()
    learner(DeferredSAC, steps=60, callback=diary, workers=1)
    assert diary.steps == [*range(1, 8), *range(1, 8), *range(1, 7)]
    assert diary.hooks == 4 * "(.....)" + "!"


def test_impossible_rewards_are_refused(learner):
    with pytest.raises(UserError, match=r"the reward is not finite in 15 of 15 steps"):
        learner(DeferredDQN, source=FrameReward(lambda f: np.full(len(f), np.nan)))


class StopAt(DeferredCallback):
    """Stops after a number of steps."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def _on_step(self):
        return self.n_calls < self.steps


def test_a_callback_stops_training_with_every_reward_in_place(learner):
    model = learner(DeferredDQN, callback=StopAt(13))
    assert not model.finished
    assert model.round_steps == 3
    assert model.replay_buffer.pos == 13
    assert np.isfinite(model.replay_buffer.rewards[: model.replay_buffer.pos]).all()


@pytest.mark.parametrize("train_freq", [1, 5])
def test_a_stop_at_the_end_of_a_round_comes_after_its_updates(learner, train_freq):
    model = learner(DeferredSAC, callback=StopAt(10), train_freq=train_freq)
    assert (model.num_timesteps, model.round_steps) == (30, 0)
    whole = learner(DeferredSAC, steps=30, train_freq=train_freq)
    np.testing.assert_array_equal(weights(model), weights(whole))


@pytest.mark.parametrize("kind", [DeferredDQN, DeferredSAC])
def test_learns_the_toy(learner, kind):
    model = learner(
        kind,
        steps=2500,
        environments=4,
        env={"episode_steps": 20},
        buffer_size=3000,
        learning_starts=200,
        batch_size=64,
        learning_rate=3e-3,
        gamma=0.9,
        policy_kwargs={"net_arch": [32]},
    )
    env = model.get_env()
    env.seed(99)
    distances = []
    observation = env.reset()
    for _ in range(20):
        action, _ = model.predict(observation, deterministic=True)
        observation, *_ = env.step(action)
        distances.append(np.abs(env.states[:, 0]))
    assert np.mean(distances[-5:]) < 0.2
