"""Agents, the runs that train them, and their evaluation."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from vlmrm.config.base import Alpha, ConfigModel, Name, NonEmptyList, PositiveInt, Seed, UniqueList

ALGORITHMS = {"cartpole": "dqn", "mountain-car": "sac", "humanoid": "sac"}
"""What can act in each environment: DQN chooses one of a few actions, SAC gives numbers."""


class OffPolicyAgent(ConfigModel):
    """What Stable-Baselines3's off-policy algorithms share."""

    total_timesteps: PositiveInt
    """Environment steps, over all parallel environments."""
    episode_steps: PositiveInt
    """Time limit of an episode: a truncation, never a termination."""
    n_envs: PositiveInt
    """Parallel environments."""
    learning_starts: Annotated[int, Field(ge=0)]
    """Steps of random actions before the first update."""
    train_freq: PositiveInt
    """Steps of each environment between two rounds of updates."""
    gradient_steps: PositiveInt
    """Updates in one round."""
    batch_size: PositiveInt
    """Transitions per update."""
    buffer_size: PositiveInt
    """Transitions kept for replay."""
    learning_rate: Annotated[float, Field(gt=0)]
    final_learning_rate: Annotated[float, Field(ge=0)] | None = None
    """What the learning rate falls to, linearly over all steps; it stays the same if left out."""
    gamma: Annotated[float, Field(ge=0, lt=1)]
    """Discount per step."""
    center_rewards: bool = False
    """Learn from differences from the mean of the rewards so far: at a discount near 1, the mean
    alone takes long to learn. Where episodes end by time alone, the best policy stays the same."""
    net_arch: list[PositiveInt] = [256, 256]
    """Widths of the hidden layers."""
    save_freq: PositiveInt
    """Steps between two checkpoints."""


def _entropy_weight(value: str | float) -> str | float:
    try:
        right = value == "auto" or 0 < float(str(value).removeprefix("auto_")) < math.inf
    except ValueError:
        right = False
    if not right:
        raise ValueError(f"'{value}' is no weight; write a number above 0, auto, or auto_NUMBER")
    return value


class DQN(OffPolicyAgent):
    """Deep Q-learning."""

    algorithm: Literal["dqn"]
    episode_steps: PositiveInt = 200
    n_envs: PositiveInt = 1
    learning_starts: Annotated[int, Field(ge=0)] = 1000
    train_freq: PositiveInt = 200
    gradient_steps: PositiveInt = 200
    batch_size: PositiveInt = 64
    buffer_size: PositiveInt = 100_000
    learning_rate: Annotated[float, Field(gt=0)] = 2.3e-3
    gamma: Annotated[float, Field(ge=0, lt=1)] = 0.99
    save_freq: PositiveInt = 64_000
    target_update_interval: PositiveInt = 10
    """Steps between two copies into the target network."""
    exploration_fraction: Annotated[float, Field(gt=0, le=1)] = 0.16
    """Share of the training over which epsilon falls to its final value."""
    exploration_final_eps: Annotated[float, Field(ge=0, le=1)] = 0.04
    """Final share of random actions."""


class SAC(OffPolicyAgent):
    """Soft actor-critic."""

    algorithm: Literal["sac"]
    episode_steps: PositiveInt = 100
    n_envs: PositiveInt = 8
    learning_starts: Annotated[int, Field(ge=0)] = 50_000
    train_freq: PositiveInt = 100
    gradient_steps: PositiveInt = 100
    batch_size: PositiveInt = 512
    buffer_size: PositiveInt = 1_000_000
    learning_rate: Annotated[float, Field(gt=0)] = 6e-4
    gamma: Annotated[float, Field(ge=0, lt=1)] = 0.95
    save_freq: PositiveInt = 128_000
    tau: Annotated[float, Field(gt=0, le=1)] = 0.005
    """Share of the online weights that moves into the target network at each update."""
    ent_coef: Annotated[str | float, AfterValidator(_entropy_weight)] = "auto"
    """Weight of the entropy bonus; `auto` learns it, `auto_0.1` from 0.1 on."""
    use_sde: bool = False
    """Exploration noise that depends on the state and changes slowly (gSDE)."""
    actor_ema: Annotated[float, Field(ge=0, lt=1)] = 0
    """Deterministic actions are those of a moving average of the actor's weights, of which this
    share stays at each update; 0 for the latest actor."""
    symlog_observations: bool = False
    """Give the networks sign(x) ln(1 + |x|) of each observation: the humanoid's forces are
    thousands of times as large as its angles."""


Algorithm = Annotated[DQN | SAC, Field(discriminator="algorithm")]


class Lookup(ConfigModel):
    """Rewards are interpolated on a grid instead of computed from frames."""

    grid: Name
    """A grid of `states`."""
    check: Name
    """Uniform `states` on which interpolation is compared with rewards computed from frames."""
    max_error: Annotated[float, Field(gt=0)] = 0.2
    """Root-mean-square error of interpolation, in standard deviations of the reward over the
    checked states, above which no agent is trained."""


class Training(ConfigModel):
    """How the agents of one environment learn."""

    agent: Algorithm
    lookup: Lookup | None = None
    """For classic control, whose pictures depend on one or two numbers; left out, rewards are
    computed from frames."""


class Experiment(ConfigModel):
    """Training runs compared with each other: every combination of the lists is one run."""

    tasks: NonEmptyList[Name]
    scenes: NonEmptyList[str] | None = None
    """Scenes in which the reward model sees the agent; the environment's default if left out."""
    models: UniqueList[Name]
    """Empty, the references alone are trained."""
    alphas: UniqueList[Alpha]
    references: UniqueList[Literal["oracle", "ground-truth"]] = []
    """The same agent trained on the oracle, or on the environment's own reward, for comparison."""
    seeds: NonEmptyList[Seed]


class Evaluation(ConfigModel):
    """How trained policies are judged."""

    trajectories: PositiveInt = 100
    """Trajectories of one evaluation."""
    checkpoint: Literal["best", "final"] = "best"
    """Which policy is judged: that of the checkpoint with the highest training reward over its
    latest episodes, as in the paper, or the last one."""
    seed: Seed = 10_000
    """Start of the initial states; keep it away from the training seeds."""
    video_trajectories: PositiveInt = 3
    """Trajectories in the video."""
    training_videos: bool = True
    """Whether the latest episode is filmed at every checkpoint of a training."""
    video_size: Annotated[int, Field(ge=32, le=1024)] = 320
    """Side of the humanoid's square videos in pixels."""


class TrainingRun(ConfigModel):
    """One training: a combination of an experiment's lists."""

    task: Name
    scene: str
    reward_source: Name
    """A model's name, or `oracle` or `ground-truth`."""
    alpha: Alpha
    """Regularization strength; 0 for the references, which have none."""
    seed: Seed
