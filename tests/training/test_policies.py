import copy

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from stable_baselines3 import SAC

from tests.training.toy import AGENTS, Slider
from vlmrm.training.algorithms import ALGORITHMS, agent_settings
from vlmrm.training.policies import AveragedSACPolicy
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

SPACES = Box(-1, 1, (5,), np.float32), Box(-1, 1, (2,), np.float32)
OBSERVATIONS = torch.linspace(-1, 1, 20).reshape(4, 5)


def policy(**settings):
    torch.manual_seed(0)
    return AveragedSACPolicy(*SPACES, lambda _: 1e-3, net_arch=[8], **settings)


def act(actor):
    return actor.predict(OBSERVATIONS.numpy(), deterministic=True)[0]


def test_the_actors_loss_has_the_gradients_of_the_plain_networks_and_leaves_the_critics_alone():
    gradients = []
    for kind in (policy().critic, super(AveragedSACPolicy, policy()).make_critic()):
        torch.manual_seed(1)
        for weight in kind.parameters():
            torch.nn.init.normal_(weight)
        actions = torch.full((4, 2), 0.3, requires_grad=True)
        values = torch.cat(kind(OBSERVATIONS, actions), dim=1)
        values.sum().backward()
        gradients.append((values.detach(), actions.grad, [w.grad for w in kind.parameters()]))
    (ours, our_actions, our_weights), (plain, plain_actions, plain_weights) = gradients
    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(our_actions, plain_actions)
    assert all(gradient is None for gradient in our_weights)
    assert all(gradient is not None for gradient in plain_weights)


def test_the_critics_learn_from_actions_of_the_replay_buffer():
    critic = policy().critic
    torch.cat(critic(OBSERVATIONS, torch.zeros(4, 2)), dim=1).sum().backward()
    assert all(weight.grad is not None for weight in critic.parameters())


def test_updates_are_those_of_stable_baselines3():
    env = VectorEnv(EnvSpec(lambda: Slider(discrete=False), 1), workers=0)
    settings = agent_settings(AGENTS["sac"])
    ours = ALGORITHMS["sac"].deferred("MlpPolicy", env, seed=0, **settings)
    plain_settings = settings | {
        "policy_kwargs": {"net_arch": settings["policy_kwargs"]["net_arch"]}
    }
    plain = SAC("MlpPolicy", env, seed=0, **plain_settings)
    rng = np.random.default_rng(0)
    transitions = {
        name: rng.normal(size=getattr(plain.replay_buffer, name).shape)
        for name in ("observations", "next_observations", "actions", "rewards")
    }
    for agent in (ours, plain):
        agent._setup_learn(1)
        for name, values in transitions.items():
            getattr(agent.replay_buffer, name)[:] = values
        agent.replay_buffer.full = True
        agent.set_random_seed(3)
        agent.train(10, 16)
    for name, weight in plain.policy.state_dict().items():
        torch.testing.assert_close(ours.policy.state_dict()[name], weight, msg=name)
    env.close()


def test_deterministic_actions_are_the_averages_and_exploration_is_the_latest_actors():
    averaged = policy(averaging=0.75)
    before = act(averaged)
    with torch.no_grad():
        for weight in averaged.actor.parameters():
            weight.add_(1.0)
    np.testing.assert_array_equal(act(averaged), before)
    explored = averaged._predict(OBSERVATIONS, deterministic=False)
    torch.manual_seed(2)
    latest = averaged.actor(OBSERVATIONS)
    torch.manual_seed(2)
    torch.testing.assert_close(averaged._predict(OBSERVATIONS), latest)
    assert explored.shape == latest.shape
    averaged.average_actor(updates=2)
    for average, weight in zip(
        averaged.averaged_actor.parameters(), averaged.actor.parameters(), strict=True
    ):
        torch.testing.assert_close(average, weight - 0.75**2)


def test_without_averaging_the_latest_actor_acts():
    latest = policy()
    assert latest.averaged_actor is None
    before = act(latest)
    with torch.no_grad():
        for weight in latest.actor.parameters():
            weight.mul_(2.0)
    assert not np.allclose(act(latest), before)


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_a_saved_policy_acts_as_it_did(averaging, tmp_path):
    saved = policy(averaging=averaging)
    if averaging:
        copied = copy.deepcopy(saved.actor.state_dict())
        saved.actor.load_state_dict({name: 2 * value for name, value in copied.items()})
        saved.average_actor(1)
    saved.save(tmp_path / "policy.pt")
    loaded = AveragedSACPolicy.load(tmp_path / "policy.pt")
    np.testing.assert_array_equal(act(loaded), act(saved))
