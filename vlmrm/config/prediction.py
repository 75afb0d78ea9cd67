"""Which measurement of a reward predicts what agents reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import TYPE_CHECKING

from vlmrm.config.base import ConfigModel, Name, NonEmptyList, PositiveInt, Seed, UniqueList
from vlmrm.config.diagnosis import diagnosed_tasks
from vlmrm.config.named import missing_oracle
from vlmrm.errors import unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


Reward = tuple[str, str, str, str]
"""Its task, scene, model, and scoring."""

LEAST = 3
"""Pairs that a correlation needs."""


class Prediction(ConfigModel):
    """Measurements of rewards against the success of agents that were trained on them.

    A pair is a task, scene, model, and scoring that all measurements contain, and on which agents
    were trained. Its success is the mean over their seeds.
    """

    epic: UniqueList[Name] = []
    """Names of `epic` measurements, at most one for each task. Their predictors are EPIC distance,
    AUROC, `fooled`, and the best of n."""
    diagnoses: UniqueList[Name] = []
    """Names of `diagnoses`, at most one for each task. Their predictors are the measures of
    docs/diagnosis.md, and the verdict. Ensembles and functions, which have none, are left out."""
    experiments: NonEmptyList[Name]
    """Names of `experiments`."""
    bootstrap: PositiveInt = 1000
    """Number of resamples for each 95 % interval."""
    seed: Seed = 0
    """Random seed."""


def prediction_problems(config: Config) -> Iterator[str]:
    """What is wrong with predictions, as 'key: what is wrong'."""
    for name, prediction in config.predictions.items():
        key = f"predictions.{name}"
        if not prediction.epic and not prediction.diagnoses:
            yield f"{key}.epic: empty, as are the diagnoses; name what is compared with success"
        for measurement in prediction.epic:
            yield from unknown(f"{key}.epic", measurement, config.epic)
            task = config.epic[measurement].task
            if config.tasks[task].oracle is None:
                yield missing_oracle(task, key)
        for diagnosis in prediction.diagnoses:
            yield from unknown(f"{key}.diagnoses", diagnosis, config.diagnoses)
        for experiment in prediction.experiments:
            yield from unknown(f"{key}.experiments", experiment, config.experiments)
        runs = [run for name in prediction.experiments for run in config.runs(name)]
        diagnosed = {
            name: diagnosed_tasks(config, config.diagnoses[name]) for name in prediction.diagnoses
        }
        parts = {
            "epic": {name: [config.epic[name].task] for name in prediction.epic},
            "diagnoses": diagnosed,
        }
        for part, measured in parts.items():
            tasks: dict[str, str] = {}
            for measurement, task in ((m, task) for m, found in measured.items() for task in found):
                if other := tasks.get(task):
                    what = f"'{other}' and '{measurement}' measure '{task}'"
                    yield f"{key}.{part}: {what}; remove one"
                tasks[task] = measurement
        pairs = {(run.task, run.scene, run.reward_source, run.scoring) for run in runs}
        for measured_rewards in _measured(config, prediction):
            pairs &= measured_rewards
        if len(pairs) < LEAST:
            what = f"{len(pairs)} rewards (task, scene, model, scoring) are measured and trained on"
            yield f"{key}: {what}; a correlation needs at least {LEAST}"
        for task in dict.fromkeys(run.task for run in runs):
            if config.tasks[task].oracle is None:
                yield missing_oracle(task, key)


def _measured(config: Config, prediction: Prediction) -> Iterator[set[Reward]]:
    """The rewards that its EPIC measurements, and those that its diagnoses contain."""

    def rewards(tasks: Iterable[str], scenes: list[str], models: list[str]) -> Iterator[Reward]:
        for task, scene, model in product(tasks, scenes, models):
            yield from ((task, scene, model, scoring) for scoring in config.scorings_of(model))

    if prediction.epic:
        chosen = [config.epic[name] for name in prediction.epic]
        yield {r for epic in chosen for r in rewards([epic.task], epic.scenes, epic.models)}
    if prediction.diagnoses:
        named = [config.diagnoses[name] for name in prediction.diagnoses]
        yield {r for d in named for r in rewards(diagnosed_tasks(config, d), d.scenes, d.models)}
