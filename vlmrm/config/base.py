"""Types that all parts of the configuration share: names, ranges, strict models."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

EnvironmentName = Literal["cartpole", "mountain-car", "humanoid"]
"""The environments that come with the package. They are always there, and their names are taken."""

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

ReferenceName = Literal["oracle", "oracle-score", "ground-truth"]

REFERENCES: tuple[str, ...] = get_args(ReferenceName)
"""Rewards that need no model: the oracle's verdict (0 or 1), how close the state is to it (0 to 1),
and the environment's own reward."""

RANDOM_POLICY = "random-policy"
"""Stands for a reward's name where the policy takes uniformly random actions."""

OracleName = Literal["cartpole", "mountain-car", HumanoidOracleName, "success"]

ORACLE_NAMES: dict[str, tuple[str, ...]] = {
    "cartpole": ("cartpole",),
    "mountain-car": ("mountain-car",),
    "humanoid": get_args(HumanoidOracleName),
}
"""The oracles that judge the states of each shipped environment."""

SCENES: dict[str, tuple[str, ...]] = {
    "cartpole": ("gymnasium",),
    "mountain-car": ("textured", "gymnasium"),
    "humanoid": (
        *("textured-fixed", "textured-left", "textured-right", "textured"),
        *("gymnasium", "filament"),
    ),
}
"""The scenes of each shipped environment, its default first."""


def scenes_of(environment: str) -> tuple[str, ...]:
    """The scenes of an environment, its default first. Those of `environments` draw themselves."""
    return SCENES.get(environment, ("default",))


def default_scene(environment: str) -> str:
    """The first of `scenes_of` an environment."""
    return scenes_of(environment)[0]


NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
IMPORT_PATH = r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$"
REPOSITORY = r"^[\w.-]+/[\w.-]+$"
FORMS = {
    NAME: "letters and digits, and after the first of them also '.', '_', and '-'",
    IMPORT_PATH: "package.module:name",
    REPOSITORY: "owner/name",
}
"""The texts that patterns match, in words."""

MAX_NAME = 100
Name = Annotated[str, Field(pattern=NAME, max_length=MAX_NAME)]
"""A name that becomes part of file names, of at most 255 characters."""

ImportPath = Annotated[str, Field(pattern=IMPORT_PATH, max_length=200)]
"""A name in a Python module, as ``module:name``; modules of the working directory are found too."""

Version = Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]
"""Version of a user's own code, which is changed with it."""

WideFrames = Literal["squash", "pad", "crop"]
"""How a frame that is wider than high becomes a square."""

Precision = Literal["auto", "float32", "bfloat16", "float16"]
"""Number format of the reward models' image towers."""

Aggregate = Literal["mean", "min", "pessimistic"]
"""How the rewards of an ensemble's members become one."""

LARGEST = 10**12
"""Largest integer: more than any machine gets done."""


def _number(value: Any) -> Any:
    if isinstance(value, bool):  # which Pydantic takes for 0 or 1
        raise ValueError(f"input should be a number, got {str(value).lower()}")
    return value


PositiveInt = Annotated[int, Field(gt=0, le=LARGEST), BeforeValidator(_number)]
Seed = Annotated[int, Field(ge=0, lt=2**32), BeforeValidator(_number)]
"""A seed that NumPy's older generators accept too."""

T = TypeVar("T")


def _each_once(values: list[T]) -> list[T]:
    seen: set[T] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{value!r} is listed twice; remove one")
        seen.add(value)
    return values


def _filled(value: str | list[str]) -> str | list[str]:
    texts = [value] if isinstance(value, str) else _each_once(value)
    # Spaces of no width are no space to Python, and are not printable.
    if not texts or not all(any(map(str.isprintable, text.strip())) for text in texts):
        raise ValueError("empty; fill it, or remove it where it may be left out")
    return value


UniqueList = Annotated[list[T], Field(max_length=1000), AfterValidator(_each_once)]
"""A list without repeated values, which would be computed or counted twice."""

NonEmptyList = Annotated[UniqueList[T], Field(min_length=1)]
"""A list of at least one value, without repeated values."""

StrOrList = Annotated[str | list[str], AfterValidator(_filled)]
"""A text, or a list of different texts; none is empty."""


class ConfigModel(BaseModel):
    """A section of the configuration: frozen; unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
