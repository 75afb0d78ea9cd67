"""The algorithms, and their settings under Stable-Baselines3's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stable_baselines3.common.buffers import NStepReplayBuffer
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import NatureCNN
from stable_baselines3.common.utils import LinearSchedule

from vlmrm.config import DQN, SAC
from vlmrm.training.buffers import CenteredReplayBuffer
from vlmrm.training.deferred import DeferredDQN, DeferredReward, DeferredSAC
from vlmrm.training.extractors import SymlogExtractor
from vlmrm.training.policies import NoOptimizer
from vlmrm.training.vec_env.vector_env import VectorEnv


@dataclass(frozen=True)
class Algorithm:
    """An algorithm's classes and losses."""

    deferred: type[DeferredReward]
    """Its class, with rewards that arrive after their steps."""
    losses: dict[str, str]
    """Columns of the learning curve, and their keys in Stable-Baselines3's logger."""


ALGORITHMS = {
    "dqn": Algorithm(DeferredDQN, {"loss": "train/loss"}),
    "sac": Algorithm(
        DeferredSAC,
        {
            "actor_loss": "train/actor_loss",
            "critic_loss": "train/critic_loss",
            "ent_coef": "train/ent_coef",
        },
    ),
}
"""Algorithms by their names in the configuration."""


def agent_settings(agent: DQN | SAC) -> dict[str, Any]:
    """Keyword arguments of the algorithm's class for a configured agent."""
    rate: float | LinearSchedule = agent.learning_rate
    if agent.final_learning_rate is not None:
        rate = LinearSchedule(agent.learning_rate, agent.final_learning_rate, end_fraction=1.0)
    settings: dict[str, Any] = {
        "learning_rate": rate,
        "buffer_size": agent.buffer_size,
        "learning_starts": agent.learning_starts,
        "batch_size": agent.batch_size,
        "gamma": agent.gamma,
        "train_freq": agent.train_freq,
        "gradient_steps": agent.gradient_steps,
        "policy_kwargs": {"net_arch": list(agent.net_arch)},
        "replay_buffer_class": CenteredReplayBuffer if agent.center_rewards else NStepReplayBuffer,
        "replay_buffer_kwargs": {"n_steps": agent.n_steps, "gamma": agent.gamma},
    }
    if isinstance(agent, DQN):
        return settings | {
            "target_update_interval": agent.target_update_interval,
            "exploration_fraction": agent.exploration_fraction,
            "exploration_final_eps": agent.exploration_final_eps,
        }
    settings["policy_kwargs"]["averaging"] = agent.actor_ema
    if agent.symlog_observations:
        settings["policy_kwargs"]["features_extractor_class"] = SymlogExtractor
    return settings | {"tau": agent.tau, "ent_coef": agent.ent_coef, "use_sde": agent.use_sde}


def make_agent(
    agent: DQN | SAC, env: VectorEnv, seed: int, device: str, **settings: Any
) -> DeferredReward:
    """Makes a configured agent with random weights, which can learn.

    Args:
        agent: Settings of the agent.
        env: The environments in which it acts.
        seed: Random seed.
        device: Device of its networks.
        settings: Replace some of `agent_settings`.
    """
    deferred = ALGORITHMS[agent.algorithm].deferred
    settings = agent_settings(agent) | settings
    if is_image_space(env.observation_space):
        settings["policy_kwargs"]["features_extractor_class"] = NatureCNN
    return deferred("MlpPolicy", env, seed=seed, device=device, **settings)


def make_player(agent: DQN | SAC, env: VectorEnv, seed: int) -> DeferredReward:
    """Makes a configured agent with random weights that only acts, on the CPU.

    Args:
        agent: Settings of the agent.
        env: The environments in which it acts.
        seed: Random seed.
    """
    settings: dict[str, Any] = {"buffer_size": 1}
    if isinstance(agent, SAC):
        settings["ent_coef"] = 1.0  # a learned one has an optimizer
    policy = agent_settings(agent)["policy_kwargs"] | {"optimizer_class": NoOptimizer}
    return make_agent(agent, env, seed, "cpu", policy_kwargs=policy, **settings)
