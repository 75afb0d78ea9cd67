"""Which measurement of a reward predicts what agents reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vlmrm.config.base import ConfigModel, Name, NonEmptyList, PositiveInt, Seed
from vlmrm.errors import unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


class Prediction(ConfigModel):
    """Measurements of rewards against the success of agents that were trained on them.

    A pair is a task, scene, model, and scoring that was measured, and on which agents were trained.
    """

    epic: NonEmptyList[Name]
    """Names of `epic` measurements, at most one for each task."""
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
        tasks: dict[str, str] = {}
        for measurement in prediction.epic:
            yield from unknown(f"{key}.epic", measurement, config.epic)
            task = config.epic[measurement].task
            if other := tasks.get(task):
                yield f"{key}.epic: '{other}' and '{measurement}' measure '{task}'; remove one"
            tasks[task] = measurement
        for experiment in prediction.experiments:
            yield from unknown(f"{key}.experiments", experiment, config.experiments)
        trained = {t for name in prediction.experiments for t in config.experiments[name].tasks}
        if not trained & tasks.keys():
            yield f"{key}: no task is both measured and trained; name other measurements"
        for task in trained:
            if config.tasks[task].oracle is None:
                yield f"tasks.{task}.oracle: missing, but {key} needs the success of its agents"
