"""What all parts of the configuration share: names, ranges, and strictness."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

EnvironmentName = Literal["cartpole", "mountain-car", "humanoid"]

HumanoidOracleName = Literal[
    "kneeling",
    "lotus",
    "standing",
    "arms-raised",
    "splits",
    "hands-on-hips",
    "arms-crossed",
    "one-leg",
]

REFERENCES = ("oracle", "ground-truth")
"""Rewards that need no model: the judge of success, and the environment's own reward."""

RANDOM_POLICY = "random-policy"
"""In place of a reward's name: uniformly random actions, trained on nothing."""

OracleName = Literal["cartpole", "mountain-car", HumanoidOracleName]

SCENES: dict[str, tuple[str, ...]] = {
    "cartpole": ("original",),
    "mountain-car": ("textured", "original"),
    "humanoid": ("textured-fixed", "textured", "original", "filament"),
}
"""The scenes of each environment, its default first."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A name that becomes part of file names."""

Precision = Literal["auto", "float32", "bfloat16", "float16"]
"""In what the image towers of reward models compute."""

Alpha = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
