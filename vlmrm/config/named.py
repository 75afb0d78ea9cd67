"""Checks that names refer to entries of the right kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vlmrm.config.models import EnsembleModel, FunctionModel
from vlmrm.errors import unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


def humanoid_task_problems(config: Config, key: str, task: str) -> Iterator[str]:
    """Why a name under ``tasks`` of a key is not that of a humanoid task with an oracle."""
    yield from unknown(f"{key}.tasks", task, config.tasks)
    if config.tasks[task].environment != "humanoid":
        yield f"{key}.tasks: '{task}' is no humanoid task; remove it"
    if config.tasks[task].oracle is None:
        yield missing_oracle(task, key)


def frame_model_problems(config: Config, key: str, name: str) -> Iterator[str]:
    """Why a name under a key is not that of a single model that embeds frames."""
    yield from unknown(key, name, config.models)
    if isinstance(model := config.models[name], EnsembleModel | FunctionModel):
        what = f"'{name}' has source: {model.source}"
        yield f"{key}: {what}; name models that embed frames themselves"


def missing_oracle(task: str, key: str) -> str:
    """The problem of a task whose oracle a key needs."""
    return f"tasks.{task}.oracle: missing, but {key} needs it; add it"
