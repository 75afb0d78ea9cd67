"""Ensembles: their members, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from vlmrm.config.corpus_references import learned_states, makes
from vlmrm.config.models import EnsembleModel
from vlmrm.config.named import frame_model_problems
from vlmrm.config.scoring import alpha_of
from vlmrm.config.sentences import different
from vlmrm.config.settings import EnsembleSettings, Member, MemberSettings
from vlmrm.errors import unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config

PENALTY = 1.0
"""Default weight of the standard deviation in a pessimistic ensemble."""


def towers(config: Config, name: str) -> list[str]:
    """The models whose image towers see each state that a reward source scores.

    Of an ensemble, these are the members, each as often as there are views; of a model, itself. A
    reference reward has none.
    """
    return [tower for tower, _ in views(config, name, scene="")]


def views(config: Config, name: str, scene: str) -> list[tuple[str, str]]:
    """The models of `towers`, each with the scene from which it sees the states of a scene."""
    model = config.models.get(name)
    if not isinstance(model, EnsembleModel):
        return [(name, scene)] if model else []
    return [(member, view) for member in model.members for view in model.scenes or [scene]]


def member_settings(config: Config, name: str, task: str, scene: str) -> MemberSettings:
    """What measuring the members of an ensemble reads."""
    ensemble = config.models[name]
    assert isinstance(ensemble, EnsembleModel)
    goals = config.tasks[task].goals if ensemble.prompts == "separate" else [None]
    return MemberSettings(
        model=name,
        task=task,
        reference=ensemble.reference,
        members=[
            Member(model=member, scene=view, goal=goal)
            for member in ensemble.members
            for view in ensemble.scenes or [scene]
            for goal in goals
        ],
    )


def ensemble_settings(config: Config, name: str, task: str, scene: str) -> EnsembleSettings:
    """What scoring states by an ensemble reads."""
    ensemble = config.models[name]
    assert isinstance(ensemble, EnsembleModel)
    return EnsembleSettings(
        **member_settings(config, name, task, scene).model_dump(),
        scene=scene,
        aggregate=ensemble.aggregate,
        penalty=PENALTY if ensemble.penalty is None else ensemble.penalty,
    )


def ensemble_problems(config: Config) -> Iterator[str]:
    """What is wrong with ensembles, as 'key: what is wrong'."""
    for name, model in config.models.items():
        if not isinstance(model, EnsembleModel):
            continue
        key = f"models.{name}"
        for member in model.members:
            yield from frame_model_problems(config, f"{key}.members", member)
        if model.prompts == "average" and len(towers(config, name)) < 2:
            yield f"{key}.members: only one; name others, several scenes, or prompts: separate"
        if model.penalty is not None and model.aggregate != "pessimistic":
            yield f"{key}.penalty: has no effect with aggregate: {model.aggregate}; remove it"
        yield from unknown(f"{key}.reference", model.reference, config.state_sets)
        if ("models", name) in makes(config, "state_sets", model.reference):
            yield f"{key}.reference: met by an agent that learns from '{name}'; use other states"
        yield from learned_states(config, f"{key}.reference", model.reference, model.members)


def use_problems(
    config: Config, key: str, models: Iterable[str], task: str, scenes: list[str], scene_key: str
) -> Iterator[str]:
    """Why ensembles among these known models cannot score a known task in these scenes."""
    entry = config.tasks[task]
    environment, goals, baselines = entry.environment, entry.goals, entry.baselines
    for name in models:
        model = config.models[name]
        if not isinstance(model, EnsembleModel):
            continue
        held = config.state_sets[model.reference].environment
        if held != environment:
            what = f"'{model.reference}' holds {held} states"
            yield f"models.{name}.reference: {what}, but {key} has the {environment} task '{task}'"
        if model.prompts == "separate" and len(goals) < 2:
            what = "only one sentence, which cannot be separate"
            yield f"tasks.{task}.goal: {what} members of '{name}'; list several sentences"
        if model.prompts == "separate" and any(map(alpha_of, config.scorings)):
            for goal in goals:
                if not different([goal], baselines):
                    what = f"'{goal}' is the baseline, too, so no alpha above 0 can score it as a"
                    yield f"tasks.{task}.goal: {what} member of '{name}'; remove it"
        if model.scenes and scenes != model.scenes[:1]:
            first = model.scenes[0]
            yield f"{scene_key}: '{name}' has views of its own, which count as {first}; write that"


def unscored_problems(
    config: Config, key: str, models: Iterable[str], task: str, scorings: list[str]
) -> Iterator[str]:
    """Why agents cannot be trained on ensembles among these known models with these scorings."""
    for name in models:
        for scoring in scorings:
            if isinstance(config.models[name], EnsembleModel) and scoring not in config.scorings:
                why = f"'{name}' is standardized by the rewards of `scorings`"
                yield f"{key}: {scoring} is not scored for task '{task}', but {why}; add it there"
