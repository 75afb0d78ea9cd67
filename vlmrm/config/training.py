"""Agents, the runs that train them, and their evaluation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from vlmrm.config.base import (
    ConfigModel,
    Name,
    NonEmptyList,
    PositiveInt,
    ReferenceName,
    Seed,
    UniqueList,
)
from vlmrm.config.scoring import PLAIN, Scoring

REQUIRED_ALGORITHM = {"cartpole": "dqn", "mountain-car": "sac", "humanoid": "sac"}
"""The algorithm for each shipped environment: DQN for discrete actions, SAC for continuous ones."""


class OffPolicyAgent(ConfigModel):
    """Settings that DQN and SAC share."""

    total_timesteps: PositiveInt
    """Environment steps in total, over all parallel environments. A training ends with a whole
    round of `train_freq` steps of each environment, so it may take a few more."""
    episode_steps: PositiveInt
    """Time limit of an episode. It truncates the episode and never terminates it."""
    n_envs: PositiveInt
    """Number of parallel environments."""
    learning_starts: Annotated[int, Field(ge=0)]
    """Steps with random actions before the first update."""
    train_freq: PositiveInt
    """Steps of each environment between two rounds of gradient updates."""
    gradient_steps: PositiveInt
    """Gradient updates per round."""
    batch_size: PositiveInt
    """Transitions per gradient update."""
    buffer_size: PositiveInt
    """Size of the replay buffer, in transitions."""
    learning_rate: Annotated[float, Field(gt=0)]
    """Adam's learning rate."""
    final_learning_rate: Annotated[float, Field(ge=0)] | None = None
    """Learning rate at the end of a linear schedule. By default, the rate stays constant."""
    gamma: Annotated[float, Field(ge=0, lt=1)]
    """Discount factor."""
    n_steps: PositiveInt = 1
    """Steps whose rewards are summed, discounted, before the value of the next state is estimated.
    With several, rewards reach earlier states in fewer updates."""
    center_rewards: bool = False
    """Subtract the mean of all rewards in the replay buffer. With a discount near 1, the mean alone
    takes long to learn. The best policy stays the same if only time limits end episodes."""
    net_arch: list[PositiveInt] = [256, 256]
    """Widths of the hidden layers."""
    save_freq: PositiveInt
    """Environment steps between two checkpoints. They are saved at the start of a round, so there
    may be a few more in between."""

    @property
    def round_steps(self) -> int:
        """Environment steps of a round, over all parallel environments."""
        return self.train_freq * self.n_envs

    @property
    def whole_timesteps(self) -> int:
        """`total_timesteps`, rounded up to whole rounds: where a training ends."""
        return self._whole_rounds(self.total_timesteps)

    @property
    def whole_save_freq(self) -> int:
        """`save_freq`, rounded up to whole rounds: checkpoints are saved at its multiples."""
        return self._whole_rounds(self.save_freq)

    def replay_bytes(self, observation: int, action: int) -> int:
        """Size of the replay buffer, as far as a training fills it.

        A row has the observations before and after a step, the action, and three numbers of 4
        bytes.

        Args:
            observation: Bytes of an observation.
            action: Bytes of an action.
        """
        rows = min(self.buffer_size, self.total_timesteps)
        return rows * (2 * observation + action + 3 * 4)

    def _whole_rounds(self, steps: int) -> int:
        return math.ceil(steps / self.round_steps) * self.round_steps


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
    """Steps between two updates of the target network."""
    exploration_fraction: Annotated[float, Field(gt=0, le=1)] = 0.16
    """Fraction of the training in which epsilon falls to its final value."""
    exploration_final_eps: Annotated[float, Field(ge=0, le=1)] = 0.04
    """Final probability of a random action."""


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
    """Polyak coefficient of the target network."""
    ent_coef: Annotated[str | float, AfterValidator(_entropy_weight)] = "auto"
    """Weight of the entropy bonus. `auto` learns it; `auto_0.1` learns it from 0.1 on."""
    use_sde: bool = False
    """Generalized state-dependent exploration (gSDE): noise that changes slowly."""
    actor_ema: Annotated[float, Field(ge=0, lt=1)] = 0
    """Decay per update of an exponential moving average of the actor's weights, which chooses the
    deterministic actions. 0 uses the latest actor."""
    symlog_observations: bool = False
    """Transform each observation by sign(x) ln(1 + |x|). The humanoid's contact forces are
    thousands of times as large as its angles."""


Algorithm = Annotated[DQN | SAC, Field(discriminator="algorithm")]


class Lookup(ConfigModel):
    """Interpolates rewards on a grid of states instead of computing them from frames."""

    grid: Name
    """Name of one of `state_sets`, with `sampler: grid`."""
    check: Name
    """Name of one of `state_sets`, with `sampler: uniform`. The interpolation is compared with
    rewards from frames on these states."""
    max_error: Annotated[float, Field(gt=0)] = 0.2
    """Largest root-mean-square error of the interpolation with which agents are trained, in
    standard deviations of the reward over the checked states."""


class Training(ConfigModel):
    """Training settings for the agents of one environment."""

    agent: Algorithm
    """The algorithm and its settings."""
    lookup: Lookup | None = None
    """Look up rewards on a grid; for classic control, whose frames depend on one or two numbers. By
    default, rewards are computed from frames."""


class Experiment(ConfigModel):
    """Training runs to compare: one run for every combination of the lists."""

    tasks: NonEmptyList[Name]
    """Names of `tasks`."""
    scenes: NonEmptyList[str] | None = None
    """Scenes in which the frames for the reward model are rendered. By default, the environment's
    first scene."""
    models: UniqueList[Name]
    """Names of `models`. With an empty list, only the references are trained."""
    scorings: UniqueList[Scoring]
    """How embeddings become rewards, as in `scorings` of the configuration."""
    references: UniqueList[ReferenceName] = []
    """Train the same agent for comparison on the oracle's verdict (0 or 1), on how close a state is
    to fulfilling the oracle (0 to 1, easier to learn), or on the environment's own reward."""
    seeds: NonEmptyList[Seed]
    """Random seeds. One agent is trained for each."""


class Evaluation(ConfigModel):
    """How trained policies are evaluated and recorded on video."""

    trajectories: PositiveInt = 100
    """Number of trajectories per evaluation."""
    checkpoint: Literal["best", "final"] = "best"
    """Which policy is evaluated: the checkpoint with the highest training reward over its latest
    episodes, as in the paper, or the last one."""
    seed: Seed = 10_000
    """First seed of the initial states. Keep it far from the training seeds."""
    video_trajectories: PositiveInt = 3
    """Number of trajectories in the video of an agent: the median of the evaluation, and others."""
    training_videos: bool = True
    """Record a video of the latest episode at every checkpoint of a training."""
    video_size: Annotated[int, Field(ge=32, le=1024)] = 320
    """Side of the humanoid's square videos in pixels."""


class TrainingRun(ConfigModel):
    """One training run."""

    task: Name
    """Name of one of `tasks`."""
    scene: str
    """Scene in which the frames for the reward model are rendered."""
    reward_source: Name
    """Name of a model, or `oracle`, `oracle-score`, or `ground-truth`; in state sets also
    `random-policy`."""
    scoring: Scoring = PLAIN
    """How embeddings become rewards; `alpha-0` for references, which have none."""
    seed: Seed
    """Random seed."""

    @property
    def folder(self) -> Path:
        """Where its files are, relative to the run's `policies` and `evaluations`."""
        parts = (self.task, self.scene, self.reward_source, self.scoring, f"seed-{self.seed}")
        return Path(*parts)


RUN = list(TrainingRun.model_fields)
"""The first columns of tables of a run."""
SERIES = [name for name in RUN if name != "seed"]
"""Those that agents of several seeds share."""
