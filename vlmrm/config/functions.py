"""Functions as reward models: what they cannot give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from vlmrm.config.models import FunctionModel
from vlmrm.config.scoring import PLAIN

if TYPE_CHECKING:
    from vlmrm.config.config import Config


def measured_function_problems(config: Config, models: Iterable[str]) -> Iterator[str]:
    """Why functions among these models have no rewards of state sets, as 'key: what is wrong'."""
    for name, function in _functions(config, models):
        if not function.embeddings and PLAIN not in config.scorings:
            yield f"scorings: lacks {PLAIN}, the plain score of models.{name}; add it"


def trained_function_problems(
    config: Config, scoring_key: str, task: str, models: Iterable[str], scorings: Iterable[str]
) -> Iterator[str]:
    """Why a known task cannot be trained on functions among these models.

    Args:
        config: The configuration.
        scoring_key: Key or option of the scorings.
        task: Name of the task.
        models: Names of models.
        scorings: Scorings of the agents' rewards.
    """
    environment = config.tasks[task].environment
    training = config.training.get(environment)
    for name, function in _functions(config, models):
        for scoring in scorings:
            if scoring != PLAIN and not function.embeddings:
                yield (
                    f"{scoring_key}: {scoring} needs embeddings, but models.{name} gives its plain "
                    f"score alone; write {PLAIN}, or set models.{name}.embeddings"
                )
        if function.window > 1 and training and training.lookup:
            yield (
                f"models.{name}.window: {function.window} frames, but task '{task}' looks up the "
                f"reward of single ones; write 1, or remove training.{environment}.lookup"
            )


def _functions(config: Config, names: Iterable[str]) -> Iterator[tuple[str, FunctionModel]]:
    for name in names:
        if isinstance(model := config.models.get(name), FunctionModel):
            yield name, model
