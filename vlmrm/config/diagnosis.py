"""How good sentences are as rewards, by the models of a run and before any training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vlmrm.config.base import SCENES, ConfigModel, Name, NonEmptyList, UniqueList, default_scene
from vlmrm.config.corpus_references import learned_states
from vlmrm.config.named import frame_model_problems, humanoid_task_problems
from vlmrm.config.states import DiagnosisStates
from vlmrm.errors import unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


class Diagnosis(ConfigModel):
    """How good a reward the sentence of each humanoid task is, for all scorings.

    `vlmrm diagnose` measures the same without a configuration (docs/diagnosis.md).
    """

    states: Name
    """Name of one of `state_sets`, with `sampler: diagnosis`."""
    models: NonEmptyList[Name]
    """Names of `models` that embed frames: neither ensembles nor functions."""
    tasks: UniqueList[Name] = []
    """Names of `tasks`. By default, all humanoid tasks with an oracle."""
    scenes: NonEmptyList[str] = [default_scene("humanoid")]
    """Scenes in which the states are rendered."""


def diagnosed_tasks(config: Config, diagnosis: Diagnosis) -> list[str]:
    """The tasks of a diagnosis."""
    judged = {name: task for name, task in config.tasks.items() if task.oracle}
    return diagnosis.tasks or [n for n, task in judged.items() if task.environment == "humanoid"]


def diagnosis_problems(config: Config) -> Iterator[str]:
    """What is wrong with diagnoses, as 'key: what is wrong'."""
    for name, diagnosis in config.diagnoses.items():
        key = f"diagnoses.{name}"
        yield from unknown(f"{key}.states", diagnosis.states, config.state_sets)
        if not isinstance(config.state_sets[diagnosis.states], DiagnosisStates):
            yield f"{key}.states: '{diagnosis.states}' must be a set with sampler: diagnosis"
        for model in diagnosis.models:
            yield from frame_model_problems(config, f"{key}.models", model)
        yield from learned_states(config, f"{key}.states", diagnosis.states, diagnosis.models)
        for scene in diagnosis.scenes:
            yield from unknown(f"{key}.scenes", scene, SCENES["humanoid"])
        for task in diagnosis.tasks:
            yield from humanoid_task_problems(config, key, task)
        if not diagnosed_tasks(config, diagnosis):
            yield f"{key}.tasks: no humanoid task has an oracle; add one to `tasks`"
