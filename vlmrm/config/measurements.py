"""Tasks, rendering, and measurements on state sets."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from vlmrm.config.base import (
    ConfigModel,
    Name,
    NonEmptyList,
    OracleName,
    PositiveInt,
    Seed,
    StrOrList,
)


class Task(ConfigModel):
    """The goal of an agent, as a sentence."""

    environment: Name
    """`cartpole`, `mountain-car`, `humanoid`, or one of `environments`."""
    goal: StrOrList
    """Sentence that describes success. The embeddings of several sentences are averaged."""
    baseline: StrOrList | None = None
    """Sentence that describes any state. Alphas above 0 need it."""
    contrast: StrOrList | None = None
    """Other sentences, which a `contrast` scoring compares the goal with. By default, the baseline
    and the goals of the other tasks in the same environment, except those with the same oracle."""
    oracle: OracleName | None = None
    """Judges success from the simulator state; `success` is what an environment of your own says.
    Omit if no oracle fits your sentence: agents are then trained and recorded, but their success is
    not measured, and rewards are measured on labels by people alone."""

    @property
    def goals(self) -> list[str]:
        return [self.goal] if isinstance(self.goal, str) else self.goal

    @property
    def baselines(self) -> list[str]:
        return [self.baseline] if isinstance(self.baseline, str) else self.baseline or []

    @property
    def contrasts(self) -> list[str]:
        return [self.contrast] if isinstance(self.contrast, str) else self.contrast or []


class Rendering(ConfigModel):
    """How frames are rendered. Classic control is always rendered at 400 x 600 pixels."""

    humanoid_size: Annotated[int, Field(ge=32, le=1024)] = 224
    """Side of the square humanoid frames in pixels."""
    shadows: bool = False
    """Soft shadows in the humanoid scenes. Without a GPU, rendering takes three times as long. The
    scene `filament` always has shadows."""


class Landscape(ConfigModel):
    """Plots of reward against state, for all scorings (figure 2 of the paper).

    Classic control needs a grid of states, the humanoid a set of paths.
    """

    tasks: NonEmptyList[Name]
    """Names of `tasks`."""
    states: Name
    """Name of one of `state_sets`."""
    scenes: NonEmptyList[str]
    """Scenes in which the states are rendered."""
    models: NonEmptyList[Name]
    """Names of `models`."""


def _without_wildcards(value: str | list[str]) -> str | list[str]:
    for path in [value] if isinstance(value, str) else value:
        if found := re.search(r"\{.*\}", path):
            raise ValueError(
                f"'{path}' has braces, and Snakemake takes {found.group()} for a wildcard; "
                "rename the file"
            )
    return value


class Epic(ConfigModel):
    """EPIC distance between the reward and the labels of a state set, for all scorings."""

    task: Name
    """Name of one of `tasks`."""
    states: Name
    """Name of one of `state_sets`."""
    scenes: NonEmptyList[str]
    """Scenes in which the states are rendered."""
    models: NonEmptyList[Name]
    """Names of `models`."""
    discount: Annotated[float, Field(ge=0, le=1)] = 0.99
    """Discount of the distance to the environment's own reward, for classic control."""
    labels: Annotated[StrOrList, AfterValidator(_without_wildcards)] | None = None
    """Label files from `vlmrm label`, relative to the working directory. The majority of the raters
    then labels each state; undecided states are left out. By default, the oracle labels all
    states; a task without an oracle needs files."""
    bootstrap: PositiveInt = 1000
    """Number of resamples for each 95 % interval."""
    seed: Seed = 0
    """Random seed."""

    @property
    def label_files(self) -> list[str]:
        return [self.labels] if isinstance(self.labels, str) else self.labels or []
