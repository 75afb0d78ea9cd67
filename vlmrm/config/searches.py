"""Searches that climb rewards over poses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from vlmrm.config.base import (
    SCENES,
    ConfigModel,
    Name,
    NonEmptyList,
    PositiveInt,
    Seed,
    UniqueList,
    default_scene,
)
from vlmrm.config.named import frame_model_problems, humanoid_task_problems
from vlmrm.config.scoring import PLAIN, Scoring
from vlmrm.config.training import TrainingRun
from vlmrm.errors import unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config

SCORE = "oracle-score"
"""The control that climbs the oracle's own score: what a perfect reward would reach."""
FLIPPED = "flipped"
"""`flipped-F` is the oracle's verdict, of which a random share F is wrong."""
MAX_SEARCHES = 10_000


def flipped_share(source: str) -> float | None:
    """The share F of wrong verdicts of `flipped-F`; None for other rewards."""
    kind, _, number = source.partition("-")
    try:
        return float(number) if kind == FLIPPED else None
    except ValueError:
        return None


def canonical_control(name: str) -> str:
    """The name of a control with its number in the shortest form, as in paths.

    Raises:
        ValueError: It names no control.
    """
    share = flipped_share(name)
    if share is not None and math.isfinite(share) and 0 <= share < 0.5:
        return f"{FLIPPED}-{share:g}"
    if name != SCORE:
        raise ValueError(f"'{name}' is no control; write {SCORE}, or flipped-F with F below 0.5")
    return name


Control = Annotated[str, AfterValidator(canonical_control)]
"""`oracle-score`, or `flipped-F`."""


class Search(ConfigModel):
    """An evolution of the humanoid's poses towards a higher reward, judged by the oracle.

    It shows what optimization does to a reward, without training an agent: minutes instead of
    hours. Each generation recombines and changes the best poses so far, lets them settle in the
    simulation, and scores their frames.
    """

    tasks: NonEmptyList[Name]
    """Names of `tasks` of the humanoid, with an oracle."""
    scene: str = default_scene("humanoid")
    """Scene in which the poses are rendered."""
    models: UniqueList[Name] = []
    """Names of `models` whose rewards are climbed, neither ensembles nor functions."""
    scorings: UniqueList[Scoring] = [PLAIN]
    """How embeddings become rewards."""
    controls: UniqueList[Control] = []
    """Rewards without a model: `oracle-score` is the oracle's own score, `flipped-F` its verdict,
    of which a random share F is wrong."""
    population: Annotated[int, Field(ge=2, le=100_000)] = 64
    """Poses of a generation."""
    survivors: PositiveInt = 16
    """Best poses so far, which the next generation descends from. Their share that fulfills the
    task is the gold."""
    generations: Annotated[int, Field(ge=2, le=10_000)] = 30
    """Number of generations; the first one is sampled from the pose library."""
    seeds: NonEmptyList[Seed] = [0, 1, 2]
    """Random seeds."""

    def runs(self) -> Iterator[TrainingRun]:
        """The searches of each reward, controls last."""
        sources = [*product(self.models, self.scorings), *((name, PLAIN) for name in self.controls)]
        for task, seed, (source, scoring) in product(self.tasks, self.seeds, sources):
            yield TrainingRun(
                task=task, scene=self.scene, reward_source=source, scoring=scoring, seed=seed
            )


def search_problems(config: Config) -> Iterator[str]:
    """What is wrong with searches, as 'key: what is wrong'."""
    for name, search in config.searches.items():
        key = f"searches.{name}"
        if f"gallery-{name}" in config.searches:
            what = f"search-gallery-{name}.svg is a figure of {key} too"
            yield f"searches.gallery-{name}: {what}; rename one of them"
        for task in search.tasks:
            yield from humanoid_task_problems(config, key, task)
        yield from unknown(f"{key}.scene", search.scene, SCENES["humanoid"])
        for model in search.models:
            yield from frame_model_problems(config, f"{key}.models", model)
            if model == SCORE or flipped_share(model) is not None:
                yield f"models.{model}: the name is taken by a control; choose another"
        if not search.models and not search.controls:
            yield f"{key}.models: empty, as are the controls; name what is climbed"
        if search.models and not search.scorings:
            yield f"{key}.scorings: empty; name at least one"
        if search.survivors > search.population:
            what = f"{search.survivors} is above population ({search.population})"
            yield f"{key}.survivors: {what}; lower it"
        rewards = len(search.models) * len(search.scorings) + len(search.controls)
        if (number := len(search.tasks) * len(search.seeds) * rewards) > MAX_SEARCHES:
            yield f"{key}: {number:,} searches; make several of at most {MAX_SEARCHES:,}"
