"""Sets of simulator states."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from vlmrm.config.base import (
    ConfigModel,
    EnvironmentName,
    HumanoidOracleName,
    NonEmptyList,
    PositiveInt,
    Seed,
)
from vlmrm.config.training import TrainingRun


class GridStates(ConfigModel):
    """The states of a classic-control environment on a grid over what its picture shows."""

    sampler: Literal["grid"]
    environment: Literal["cartpole", "mountain-car"]
    resolution: Annotated[float, Field(gt=0)] = 1.0
    """Multiplies the number of grid points along each axis."""

    @property
    def size(self) -> int:
        """Number of grid points, as in `vlmrm.states.grid`."""

        def intervals(number: int) -> int:
            return max(1, round(number * self.resolution))

        if self.environment == "mountain-car":
            return 3 * intervals(60) + 1
        return (2 * intervals(9) + 1) * (2 * (6 * intervals(5) + intervals(28)) + 1)


class UniformStates(ConfigModel):
    """Uniformly drawn states of a classic-control environment."""

    sampler: Literal["uniform"]
    environment: Literal["cartpole", "mountain-car"]
    size: PositiveInt
    seed: Seed = 0


class PoseStates(ConfigModel):
    """Humanoid states around a task's poses, its hard negatives, other tasks, and random ones."""

    sampler: Literal["poses"]
    environment: Literal["humanoid"] = "humanoid"
    task: HumanoidOracleName
    """The task whose poses and hard negatives take the largest share. All oracles label."""
    size: PositiveInt
    seed: Seed = 0


class PathStates(ConfigModel):
    """Humanoid states on the way to the first pose of each task.

    The way begins upright, or, for the task of standing, in a squat.
    """

    sampler: Literal["paths"]
    environment: Literal["humanoid"] = "humanoid"
    tasks: NonEmptyList[HumanoidOracleName] = list(get_args(HumanoidOracleName))
    points: Annotated[int, Field(ge=3)] = 41
    """States on each path, both ends among them."""

    @property
    def size(self) -> int:
        """Number of states on all paths."""
        return self.points * len(self.tasks)


class RolloutStates(ConfigModel):
    """States that an agent met, one share from every checkpoint of its training."""

    sampler: Literal["rollouts"]
    environment: EnvironmentName = "humanoid"
    run: TrainingRun
    """The training; where it is not part of an experiment, it is trained for this set."""
    size: PositiveInt
    seed: Seed = 0


StateSet = Annotated[
    GridStates | UniformStates | PoseStates | PathStates | RolloutStates,
    Field(discriminator="sampler"),
]
