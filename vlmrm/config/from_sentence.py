"""The configuration of one agent that learns from one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vlmrm.config.architectures import packaged_models
from vlmrm.config.base import MAX_NAME, ORACLE_NAMES
from vlmrm.config.loading import SHARED, read_layer
from vlmrm.config.sentences import say_the_same
from vlmrm.errors import UserError, refuse_unknown, suggest

EXPERIMENT = "agent"
"""Name of the only experiment."""

NO_ORACLE = "none"
"""Instead of an oracle: nobody judges."""


def sentence_config(
    sentence: str,
    run: str | None = None,
    *,
    environment: str,
    model: str,
    scoring: str,
    baselines: Sequence[str] = (),
    contrasts: Sequence[str] = (),
    total_timesteps: int | None = None,
    seed: int = 0,
    oracle: str | None = None,
) -> dict[str, Any]:
    """What `vlmrm run` writes: a whole configuration, which refers to no other file.

    Args:
        sentence: Describes success.
        run: Name of the run; by default, that of the task.
        environment: One of the shipped agents' environments.
        model: A packaged model, a published one of the shipped configurations, or a model folder.
        scoring: How embeddings become rewards.
        baselines: Sentences that describe any state.
        contrasts: Sentences that the goal is contrasted with.
        total_timesteps: By default, those of the shipped agent.
        seed: Random seed.
        oracle: Judges success. By default, that of the shipped task that says the same, if there is
            one; `NO_ORACLE` for none.

    Raises:
        UserError: An argument is wrong; names its option.
    """
    shipped = read_layer(SHARED / "agents.yaml")
    refuse_unknown("--environment", environment, shipped["training"])
    oracles = (*ORACLE_NAMES.get(environment, ()), NO_ORACLE)
    refuse_unknown("--oracle", oracle or NO_ORACLE, oracles)
    known = _shipped_task(sentence, environment)
    task = known.get("name") or _name_of(sentence)
    judge = oracle or known.get("oracle", NO_ORACLE)
    definition = {
        "environment": environment,
        "goal": sentence,
        "baseline": list(baselines),
        "contrast": list(contrasts),
        "oracle": None if judge == NO_ORACLE else judge,
    }
    model_name, models = _model(model)
    packaged = models[model_name]["source"] == "packaged"
    training = shipped["training"][environment]
    content = {
        "run": run or task,
        "tasks": {task: {key: value for key, value in definition.items() if value}},
        "models": models,
        "scorings": [scoring],
        # At the size that the packaged models were made for.
        "rendering": read_layer(SHARED / "sim.yaml")["rendering"] if packaged else None,
        "state_sets": _looked_up(training, shipped["state_sets"]),
        "training": {environment: _trained(training, total_timesteps)},
        "experiments": {
            EXPERIMENT: {
                "tasks": [task],
                "models": [model_name],
                "scorings": [scoring],
                "seeds": [seed],
            }
        },
    }
    return {key: value for key, value in content.items() if value}


def _shipped_task(sentence: str, environment: str) -> dict[str, Any]:
    """The shipped task that says the same, with its name; empty if there is none."""
    for name, task in read_layer(SHARED / "tasks.yaml")["tasks"].items():
        if task["environment"] == environment and say_the_same([task["goal"]], [sentence]):
            return {"name": name, **task}
    return {}


def _name_of(text: str) -> str:
    """A name for files."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", text).lower()
    return words[: MAX_NAME // 2].strip("-") or "agent"


def _model(model: str) -> tuple[str, dict[str, Any]]:
    """Name of a model, and its section of the configuration."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        # Relative paths would depend on where the run is continued.
        place = folder.resolve()
        if place.parent == Path("resources/models").resolve():
            raise UserError(
                f"--model: {model} belongs to the workflow, which copies models there; name a "
                "configuration that defines it, or copy it elsewhere"
            )
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", place.name).strip("-._") or "model"
        return name, {name: {"source": "pretrained", "path": str(place)}}
    if model in packaged_models():
        return model, {model: {"source": "packaged", "architecture": model}}
    published = read_layer(SHARED / "published.yaml")["models"]
    if model not in published:
        known = [*packaged_models(), *published]
        raise UserError(f"--model: no folder, and unknown name '{model}'{suggest(model, known)}")
    return model, {model: published[model]}


def _looked_up(training: dict[str, Any], state_sets: dict[str, Any]) -> dict[str, Any]:
    """The state sets on which an environment's rewards are looked up, if they are."""
    names = [training["lookup"][key] for key in ("grid", "check")] if "lookup" in training else []
    return {name: state_sets[name] for name in names}


def _trained(training: dict[str, Any], total_timesteps: int | None) -> dict[str, Any]:
    if total_timesteps is None:
        return training
    if total_timesteps <= (start := training["agent"]["learning_starts"]):
        raise UserError(f"--total-timesteps: must be above {start}, when learning starts")
    return {**training, "agent": {**training["agent"], "total_timesteps": total_timesteps}}
