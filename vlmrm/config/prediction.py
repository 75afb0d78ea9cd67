"""Which measurement of a reward predicts what agents reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vlmrm.config.base import ConfigModel, Name, NonEmptyList, PositiveInt, Seed, UniqueList
from vlmrm.config.diagnosis import diagnosed_tasks
from vlmrm.errors import unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


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
                yield f"tasks.{task}.oracle: missing, but {key} needs the best of n of '{task}'"
        for diagnosis in prediction.diagnoses:
            yield from unknown(f"{key}.diagnoses", diagnosis, config.diagnoses)
        for experiment in prediction.experiments:
            yield from unknown(f"{key}.experiments", experiment, config.experiments)
        trained = {t for name in prediction.experiments for t in config.experiments[name].tasks}
        diagnosed = {
            name: diagnosed_tasks(config, config.diagnoses[name]) for name in prediction.diagnoses
        }
        parts = {
            "epic": {name: [config.epic[name].task] for name in prediction.epic},
            "diagnoses": diagnosed,
        }
        common = set(trained)
        for part, measured in parts.items():
            tasks: dict[str, str] = {}
            for measurement, task in ((m, task) for m, found in measured.items() for task in found):
                if other := tasks.get(task):
                    what = f"'{other}' and '{measurement}' measure '{task}'"
                    yield f"{key}.{part}: {what}; remove one"
                tasks[task] = measurement
            common &= tasks.keys() if measured else common
        if not common:
            yield f"{key}: no task is both measured and trained; name other measurements"
        for task in trained:
            if config.tasks[task].oracle is None:
                yield f"tasks.{task}.oracle: missing, but {key} needs the success of its agents"
