"""Tasks, pictures, and what is measured on sets of states."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vlmrm.config.base import (
    ConfigModel,
    EnvironmentName,
    Name,
    NonEmptyList,
    OracleName,
    PositiveInt,
    Seed,
    StrOrList,
)


class Task(ConfigModel):
    """What the agent shall do, as a sentence."""

    environment: EnvironmentName
    goal: StrOrList
    """The sentence that describes success; the embeddings of several are averaged."""
    baseline: StrOrList | None = None
    """A sentence that describes any state; needed by every alpha above 0."""
    oracle: OracleName | None = None
    """The judge of success, by simulator state. Without one the task is trained, not scored."""

    @property
    def goals(self) -> list[str]:
        return [self.goal] if isinstance(self.goal, str) else self.goal

    @property
    def baselines(self) -> list[str]:
        return [self.baseline] if isinstance(self.baseline, str) else self.baseline or []


class Rendering(ConfigModel):
    """Image sizes; classic control is always drawn at 400 x 600 pixels."""

    humanoid_size: Annotated[int, Field(ge=32, le=1024)] = 224
    """Side of the square humanoid frames in pixels."""
    shadows: bool = False
    """Soft shadows in the humanoid scenes; without a GPU, drawing takes three times longer.

    The filament scene always has them.
    """


class Landscape(ConfigModel):
    """Reward against state, for all alphas (figure 2 of the paper).

    Classic control wants a grid of states, the humanoid a set of paths.
    """

    tasks: NonEmptyList[Name]
    states: Name
    scenes: NonEmptyList[str]
    models: NonEmptyList[Name]


class Epic(ConfigModel):
    """EPIC distance between the reward and the labels of a state set, for all alphas."""

    task: Name
    states: Name
    scenes: NonEmptyList[str]
    models: NonEmptyList[Name]
    discount: Annotated[float, Field(ge=0, le=1)] = 0.99
    """Of the distance to the environment's own reward, for classic control."""
    labels: StrOrList | None = None
    """Files of `vlmrm label`, relative to the working directory: the distance is then to what most
    people said, on the states that they decided. If left out, the oracle labels all states."""
    bootstrap: PositiveInt = 1000
    """Resamples behind each 95 % interval."""
    seed: Seed = 0

    @property
    def label_files(self) -> list[str]:
        return [self.labels] if isinstance(self.labels, str) else self.labels or []
