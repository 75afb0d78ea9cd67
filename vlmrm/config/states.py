"""Sets of simulator states."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from vlmrm.config.base import (
    LARGEST,
    ConfigModel,
    HumanoidOracleName,
    Name,
    NonEmptyList,
    PositiveInt,
    Seed,
)
from vlmrm.config.training import TrainingRun

KEEP_EVERY = 5
"""Of the states of a rollout, one in as many steps is kept, because neighboring states look alike.
The frames of a window are as many steps apart."""


class GridStates(ConfigModel):
    """A grid over the states of a classic-control environment that its frames distinguish."""

    sampler: Literal["grid"]
    environment: Literal["cartpole", "mountain-car"]
    """The simulator."""
    resolution: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Factor for the number of grid points along each axis."""

    @property
    def size(self) -> int:
        """Number of grid points, as in `vlmrm.states.grid`."""

        def intervals(number: int) -> int:
            return max(1, round(number * self.resolution))

        if self.environment == "mountain-car":
            return 3 * intervals(60) + 1
        positions = intervals(9) + intervals(9) // 3
        return (2 * positions + 1) * (2 * (6 * intervals(5) + intervals(28)) + 1)


class UniformStates(ConfigModel):
    """Uniformly sampled states of a classic-control environment."""

    sampler: Literal["uniform"]
    environment: Literal["cartpole", "mountain-car"]
    """The simulator."""
    size: PositiveInt
    """Number of states."""
    seed: Seed = 0
    """Random seed."""


class PoseStates(ConfigModel):
    """Humanoid states near the poses of a task, near its hard negatives, and others.

    The others are poses of other tasks and random states.
    """

    sampler: Literal["poses"]
    environment: Literal["humanoid"] = "humanoid"
    """The simulator."""
    task: HumanoidOracleName
    """Oracle whose poses and hard negatives are the largest share. All oracles label the states."""
    size: PositiveInt
    """Number of states."""
    seed: Seed = 0
    """Random seed."""


class PathStates(ConfigModel):
    """Humanoid states on the path to the first pose of each task.

    A path starts upright; the path to `standing` starts in a squat.
    """

    sampler: Literal["paths"]
    environment: Literal["humanoid"] = "humanoid"
    """The simulator."""
    tasks: NonEmptyList[HumanoidOracleName] = list(get_args(HumanoidOracleName))
    """Oracles whose poses the paths lead to."""
    points: Annotated[int, Field(ge=3)] = 41
    """Number of states on each path, including both ends."""

    @property
    def size(self) -> int:
        """Number of states on all paths."""
        return self.points * len(self.tasks)


class DiagnosisStates(ConfigModel):
    """Humanoid states by which `diagnoses` judge a sentence.

    These are the paths to the poses of all tasks, and states as of `sampler: poses` around each
    task.
    """

    sampler: Literal["diagnosis"]
    environment: Literal["humanoid"] = "humanoid"
    """The simulator."""
    poses: Annotated[int, Field(ge=16, le=LARGEST)] = 128
    """Number of states around the poses of each of the eight tasks."""
    seed: Seed = 0
    """Random seed."""

    @property
    def paths(self) -> PathStates:
        """The paths, to all tasks."""
        return PathStates(sampler="paths")

    @property
    def around(self) -> dict[str, PoseStates]:
        """The states around the poses of each task."""
        return {
            task: PoseStates(sampler="poses", task=task, size=self.poses, seed=self.seed)
            for task in self.paths.tasks
        }

    @property
    def size(self) -> int:
        """Number of states, those on the paths included."""
        return self.paths.size + self.poses * len(self.paths.tasks)


class RolloutStates(ConfigModel):
    """States that an agent visits, in equal shares from all checkpoints of its training."""

    sampler: Literal["rollouts"]
    environment: Name = "humanoid"
    """The simulator."""
    run: TrainingRun
    """The training run. If no experiment contains it, the workflow trains it for this set. With
    `reward_source: random-policy`, actions are uniformly random."""
    size: PositiveInt
    """Number of states."""
    explore: bool = True
    """Sample actions as in training. Otherwise, the policy acts as in evaluation."""
    seed: Seed = 0
    """Random seed."""


class UnionStates(ConfigModel):
    """The states of several sets of one environment."""

    sampler: Literal["union"]
    environment: Name = "humanoid"
    """The simulator."""
    sets: NonEmptyList[Name]
    """Names of other `state_sets`."""


StateSet = Annotated[
    GridStates
    | UniformStates
    | PoseStates
    | PathStates
    | DiagnosisStates
    | RolloutStates
    | UnionStates,
    Field(discriminator="sampler"),
]
