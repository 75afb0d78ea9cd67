"""Tasks, sets of states and their pictures, and what is measured on them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vlmrm.config.section import (
    EnvironmentName,
    HumanoidOracleName,
    Name,
    OracleName,
    PositiveInt,
    Section,
)


class Task(Section):
    """What the agent shall do, as a sentence."""

    environment: EnvironmentName
    goal: str | list[str]
    """The sentence that describes success; the embeddings of several are averaged."""
    baseline: str | list[str] | None = None
    """A sentence that describes any state; needed by every alpha above 0."""
    oracle: OracleName | None = None
    """The judge of success, by simulator state. Without one the task is trained, not scored."""

    @property
    def goals(self) -> list[str]:
        return [self.goal] if isinstance(self.goal, str) else self.goal

    @property
    def baselines(self) -> list[str]:
        return [self.baseline] if isinstance(self.baseline, str) else self.baseline or []


class GridStates(Section):
    """The states of a classic-control environment on a grid over what its picture shows."""

    sampler: Literal["grid"]
    environment: Literal["cartpole", "mountain-car"]
    resolution: Annotated[float, Field(gt=0)] = 1.0
    """Multiplies the number of grid points along each axis."""


class UniformStates(Section):
    """Uniformly drawn states of a classic-control environment."""

    sampler: Literal["uniform"]
    environment: Literal["cartpole", "mountain-car"]
    size: PositiveInt
    seed: int = 0


class PoseStates(Section):
    """Humanoid states around a task's poses, its hard negatives, other tasks, and random ones."""

    sampler: Literal["poses"]
    environment: Literal["humanoid"] = "humanoid"
    task: HumanoidOracleName
    """The task whose poses and hard negatives take the largest share. All oracles label."""
    size: PositiveInt
    seed: int = 0


StateSet = Annotated[GridStates | UniformStates | PoseStates, Field(discriminator="sampler")]


class Rendering(Section):
    """Image sizes; classic control is always drawn at 400 x 600 pixels."""

    humanoid_size: Annotated[int, Field(ge=32, le=1024)] = 224
    """Side of the square humanoid frames in pixels."""
    shadows: bool = False
    """Soft shadows in the humanoid scenes; without a GPU, drawing takes three times longer.

    The filament scene always has them.
    """


class Landscape(Section):
    """Reward against state, for all alphas (figure 2 of the paper)."""

    task: Name
    states: Name
    scenes: list[str]
    models: list[Name]


class Epic(Section):
    """EPIC distance between the reward and the labels of a state set, for all alphas."""

    task: Name
    states: Name
    scenes: list[str]
    models: list[Name]
    bootstrap: PositiveInt = 1000
    """Resamples behind each 95 % interval."""
    seed: int = 0
