"""A query as the lines of a configuration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from vlmrm.exploring.query import Query

SKIPPED = {"a", "an", "and", "the", "humanoid", "robot", "its", "with"}
"""Words that are left out of the name of a task."""


def task_yaml(query: Query, oracle: str | None, environment: str | None, scene: str | None) -> str:
    """A task, and an experiment that trains an agent on it.

    Args:
        query: The sentences, the model, and the scoring.
        oracle: Judge of the task, if it has one.
        environment: None for pictures: whoever uses the task adds it.
        scene: Scene of the frames; None for pictures.
    """
    name = _name(query.sentences.goals[0])
    sentences = {
        "goal": query.sentences.goals,
        "baseline": query.sentences.baselines,
        "contrast": query.sentences.contrasts,
    }
    task = {
        "environment": environment,
        **{kind: some[0] if len(some) == 1 else list(some) for kind, some in sentences.items()},
        "oracle": oracle,
    }
    experiment = {
        "tasks": [name],
        "scenes": scene and [scene],
        "models": [query.model],
        "scorings": [query.scoring],
        "seeds": [0],
    }
    sections = {
        "tasks": {name: _filled(task)},
        "experiments": {"explored": _filled(experiment)},
    }
    text: str = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True, width=1000)
    return text


def _name(sentence: str) -> str:
    """The words of a sentence that tell it from others, as part of a file's name."""
    words = re.findall(r"[a-z0-9]+", sentence.lower())
    kept: Sequence[str] = [word for word in words if word not in SKIPPED] or words or ["task"]
    return "-".join(kept[:6])[:60].strip("-")


def _filled(section: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if value}
