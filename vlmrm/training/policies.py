"""Stable-Baselines3's policies: their weights, faster updates, and averaged actors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from stable_baselines3.sac.policies import Actor, SACPolicy
from torch import Tensor, nn


def load_weights(policy: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Loads weights into a policy.

    Raises:
        ValueError: They are those of another agent, or not finite.
    """
    expected = policy.state_dict()
    for name, tensor in expected.items():
        if name not in weights:
            raise ValueError(f"it lacks {name}")
        if weights[name].shape != tensor.shape:
            shapes = list(weights[name].shape), list(tensor.shape)
            raise ValueError(f"its {name} has shape {shapes[0]}, not {shapes[1]}")
    for name, tensor in weights.items():
        if name not in expected:
            raise ValueError(f"it also has {name}")
        if not tensor.isfinite().all():
            raise ValueError(f"its {name} is not finite")
    policy.load_state_dict(weights)


class NoOptimizer:
    """Stands in for the optimizers of an agent that only acts.

    The first of PyTorch's own imports its compiler, which takes seconds on a slow core.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, **settings: Any):
        pass


class Critic(ContinuousCritic):
    """Skips gradients of its weights when the actions have a gradient.

    Such actions come from the actor, whose loss needs only gradients with respect to the actions.
    Those with respect to the weights take a tenth of an update and would be discarded.
    """

    def forward(self, obs: Tensor, actions: Tensor) -> tuple[Tensor, ...]:
        if not actions.requires_grad:
            return super().forward(obs, actions)
        self.requires_grad_(False)
        try:
            return super().forward(obs, actions)
        finally:
            self.requires_grad_(True)


class AveragedSACPolicy(SACPolicy):
    """Takes deterministic actions from a moving average of the actor's weights.

    A single update can change the actor so much that a standing robot falls. Exploration and
    learning use the latest actor; only deterministic actions use the average.

    Args:
        averaging: Decay of the average per update, in [0, 1); 0 turns it off.
        args: Passed to Stable-Baselines3's policy.
        kwargs: Passed to Stable-Baselines3's policy; optimizers are fused by default.
    """

    averaged_actor: Actor | None

    def __init__(self, *args: Any, averaging: float = 0.0, **kwargs: Any):
        self._averaging = averaging
        kwargs["optimizer_kwargs"] = {"fused": True, **(kwargs.get("optimizer_kwargs") or {})}
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        self.averaged_actor = None
        if self._averaging:
            average = self.make_actor().requires_grad_(False)
            average.load_state_dict(self.actor.state_dict())
            average.set_training_mode(False)
            self.averaged_actor = average

    def make_critic(self, features_extractor: BaseFeaturesExtractor | None = None) -> Critic:
        settings = self._update_features_extractor(self.critic_kwargs, features_extractor)
        return Critic(**settings).to(self.device)

    def average_actor(self, updates: int) -> None:
        """Moves the average toward the actor, as ``updates`` updates would."""
        if self.averaged_actor is not None:
            averages, latest = self.averaged_actor.parameters(), self.actor.parameters()
            with torch.no_grad():
                for average, weight in zip(averages, latest, strict=True):
                    average.lerp_(weight, 1 - self._averaging**updates)

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> Tensor:
        if deterministic and self.averaged_actor is not None:
            action: Tensor = self.averaged_actor(observation, deterministic=True)
            return action
        return super()._predict(observation, deterministic)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"averaging": self._averaging}
