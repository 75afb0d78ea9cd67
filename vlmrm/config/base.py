"""What all parts of the configuration share: names, ranges, and strictness."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

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

ORACLES: dict[str, tuple[str, ...]] = {
    "cartpole": ("cartpole",),
    "mountain-car": ("mountain-car",),
    "humanoid": get_args(HumanoidOracleName),
}
"""The oracles that judge the states of each environment."""

SCENES: dict[str, tuple[str, ...]] = {
    "cartpole": ("gymnasium",),
    "mountain-car": ("textured", "gymnasium"),
    "humanoid": ("textured-fixed", "textured", "gymnasium", "filament"),
}
"""The scenes of each environment, its default first."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A name that becomes part of file names."""

Precision = Literal["auto", "float32", "bfloat16", "float16"]
"""In what the image towers of reward models compute."""

Alpha = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(gt=0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What numpy's older generators take too."""

T = TypeVar("T")


def _each_once(values: list[T]) -> list[T]:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{value!r} stands there twice; name it once")
    return values


def _filled(value: str | list[str]) -> str | list[str]:
    texts = [value] if isinstance(value, str) else _each_once(value)
    if not texts or not all(text.strip() for text in texts):
        raise ValueError("empty; fill it, or remove it where it may be left out")
    return value


UniqueList = Annotated[list[T], AfterValidator(_each_once)]
"""A list in which nothing stands twice: it would be done, or counted, twice."""

NonEmptyList = Annotated[UniqueList[T], Field(min_length=1)]
"""Such a list of at least one."""

StrOrList = Annotated[str | list[str], AfterValidator(_filled)]
"""A text, or several that differ; none is empty."""


class ConfigModel(BaseModel):
    """A part of the configuration: unknown keys are errors, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
