import pytest

from tests.training.toy import AGENTS, slider
from vlmrm.training.algorithms import ALGORITHMS, agent_settings
from vlmrm.training.buffers import CenteredReplayBuffer
from vlmrm.training.extractors import SymlogExtractor
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

ELSEWHERE = {"algorithm", "total_timesteps", "episode_steps", "n_envs", "save_freq"}
"""What the environments, the training loop, or another argument stand for."""

SHOWN_BY_THE_AGENT = {
    *("net_arch", "symlog_observations", "actor_ema", "final_learning_rate"),
    *("center_rewards", "n_steps"),
}
"""What is no argument of Stable-Baselines3's algorithms; see the tests below."""


def made(name):
    """An agent as a training makes it."""
    env = VectorEnv(EnvSpec(slider(discrete=name == "dqn"), 1), workers=0)
    agent = AGENTS[name]
    deferred = ALGORITHMS[agent.algorithm].deferred
    return deferred("MlpPolicy", env, seed=0, device="cpu", **agent_settings(agent))


@pytest.mark.parametrize("agent", [AGENTS["dqn"], AGENTS["gsde"]])
def test_every_setting_of_an_agent_is_used(agent):
    settings = agent_settings(agent)
    names = set(type(agent).model_fields) - ELSEWHERE - SHOWN_BY_THE_AGENT
    assert {name: settings[name] for name in names} == agent.model_dump(include=names)
    others = {"policy_kwargs", "replay_buffer_class", "replay_buffer_kwargs"}
    assert set(settings) == names | others


@pytest.mark.parametrize("name", ["dqn", "sac", "tuned"])
def test_networks_are_as_wide_as_configured(name):
    assert made(name).policy.net_arch == [8]


def test_observations_are_taken_to_a_logarithm_where_configured():
    assert made("tuned").policy.features_extractor_class is SymlogExtractor
    assert made("sac").policy.features_extractor_class is not SymlogExtractor


def test_rewards_are_summed_and_centered_where_configured():
    buffer = made("tuned").replay_buffer
    assert (buffer.n_steps, buffer.gamma) == (3, 0.95)
    assert made("sac").replay_buffer.n_steps == 1
    agent = AGENTS["sac"].model_copy(update={"center_rewards": True})
    assert agent_settings(agent)["replay_buffer_class"] is CenteredReplayBuffer
    assert not isinstance(buffer, CenteredReplayBuffer)


def test_the_actor_is_averaged_by_the_configured_share():
    policy = made("tuned").policy
    latest, average = policy.actor.mu.bias, policy.averaged_actor.mu.bias
    latest.data.fill_(1.0)
    average.data.fill_(0.0)
    policy.average_actor(updates=1)
    assert average.detach().numpy() == pytest.approx(1 - 0.9)
    assert made("sac").policy.averaged_actor is None


@pytest.mark.parametrize(("name", "end"), [("sac", 6e-4), ("tuned", 1e-4)])
def test_the_learning_rate_falls_linearly_over_the_training_where_configured(name, end):
    rate = made(name).lr_schedule
    assert [rate(left) for left in (1.0, 0.5, 0.0)] == pytest.approx([6e-4, (6e-4 + end) / 2, end])
