"""Agents of Stable-Baselines3 that learn from deferred rewards, by their configuration."""

from __future__ import annotations

from typing import Any

from stable_baselines3.common.utils import LinearSchedule

from vlmrm.config import DQN, SAC
from vlmrm.training.buffers import CenteredReplayBuffer
from vlmrm.training.deferred import DeferredDQN, DeferredReward, DeferredSAC
from vlmrm.training.extractors import Symlog

KINDS: dict[str, type[DeferredReward]] = {"dqn": DeferredDQN, "sac": DeferredSAC}


def agent_settings(agent: DQN | SAC) -> dict[str, Any]:
    """The configuration of an agent in Stable-Baselines3's names."""
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
    }
    if agent.center_rewards:
        settings["replay_buffer_class"] = CenteredReplayBuffer
    if isinstance(agent, DQN):
        return settings | {
            "target_update_interval": agent.target_update_interval,
            "exploration_fraction": agent.exploration_fraction,
            "exploration_final_eps": agent.exploration_final_eps,
        }
    settings["policy_kwargs"]["averaging"] = agent.actor_ema
    if agent.symlog_observations:
        settings["policy_kwargs"]["features_extractor_class"] = Symlog
    return settings | {"tau": agent.tau, "ent_coef": agent.ent_coef, "use_sde": agent.use_sde}
