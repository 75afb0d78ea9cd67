"""References between the sections of a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vlmrm.config.architectures import (
    open_clip_architectures,
    packaged_models,
    sim_architectures,
)
from vlmrm.config.base import (
    RANDOM_POLICY,
    REFERENCES,
    default_scene,
    scenes_of,
)
from vlmrm.config.corpus_references import (
    corpus_problems,
    initial_model_problems,
    learned_states,
)
from vlmrm.config.diagnosis import diagnosed_tasks, diagnosis_problems
from vlmrm.config.ensembles import ensemble_problems, use_problems
from vlmrm.config.environments import environment_problems
from vlmrm.config.functions import measured_function_problems
from vlmrm.config.measurements import Epic, Landscape
from vlmrm.config.models import EnsembleModel, Model, PretrainedModel, SimulatorModel
from vlmrm.config.named import missing_oracle
from vlmrm.config.optimization import optimization_problems
from vlmrm.config.prediction import prediction_problems
from vlmrm.config.scoring import PLAIN
from vlmrm.config.searches import search_problems
from vlmrm.config.sentences import task_sentence_problems
from vlmrm.config.states import GridStates, PathStates, RolloutStates, UniformStates
from vlmrm.config.trainable import training_problems
from vlmrm.config.training import REQUIRED_ALGORITHM, Experiment, Lookup, TrainingRun
from vlmrm.errors import suggest, unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


MAX_RUNS = 10_000
"""Training runs of an experiment."""


def problems(config: Config) -> Iterator[str]:
    """References between sections that do not hold, each as 'key: what is wrong'.

    Only the first is of use: later checks rely on the names that earlier ones have found.
    """
    yield from environment_problems(config)
    for name, model in config.models.items():
        if isinstance(model, SimulatorModel):
            yield from unknown(f"models.{name}.corpus", model.corpus, config.corpora)
            yield from initial_model_problems(config, name, model)
        if isinstance(model, PretrainedModel):
            yield from (f"models.{name}.{key}: {what}" for key, what in model.problems())
        yield from _architecture_problems(f"models.{name}.architecture", model)
        if name in (*REFERENCES, RANDOM_POLICY):
            yield f"models.{name}: the name is taken by a reference; choose another"
    for name, corpus in config.corpora.items():
        for environment, scenes in corpus.frames.items():
            key = f"corpora.{name}.frames.{environment}"
            yield from _scene_problems(key, list(scenes), environment)
    for name, states in config.state_sets.items():
        if isinstance(states, RolloutStates):
            yield from _rollout_problems(config, f"state_sets.{name}", states)
    yield from corpus_problems(config)
    yield from ensemble_problems(config)
    for name, model in config.models.items():
        if isinstance(model, EnsembleModel):
            held = config.state_sets[model.reference].environment
            yield from _scene_problems(f"models.{name}.scenes", model.scenes, held)
    for name, states in config.state_sets.items():
        if isinstance(states, RolloutStates):
            yield from _rollout_training_problems(config, f"state_sets.{name}.run", states.run)
    for name, landscape in config.landscapes.items():
        yield from _landscape_problems(config, f"landscapes.{name}", landscape)
    for name, epic in config.epic.items():
        if f"alpha-{name}" in config.epic:
            file = f"epic-alpha-{name}.svg"
            yield f"epic.alpha-{name}: {file} is a figure of epic.{name} too; rename one of them"
        yield from _measurement_problems(config, f"epic.{name}", epic, "task", epic.task)
        if not config.tasks[epic.task].oracle and not epic.label_files:
            key = f"tasks.{epic.task}.oracle"
            what = "add it, or labels by people"
            yield f"{key}: missing, but epic.{name} measures against its labels; {what}"
    for acted_in, training in config.training.items():
        algorithm, fit = training.agent.algorithm, REQUIRED_ALGORITHM.get(acted_in)
        if fit is not None and algorithm != fit:
            key = f"training.{acted_in}.agent.algorithm"
            yield f"{key}: {algorithm} cannot act in {acted_in}; write {fit}"
        if training.lookup is not None:
            key = f"training.{acted_in}.lookup"
            yield from _lookup_problems(config, key, acted_in, training.lookup)
            if config.paper_code.frames_after_reset:
                yield f"paper_code.frames_after_reset: not with {key}; remove one of them"
    for name, experiment in config.experiments.items():
        yield from _experiment_problems(config, f"experiments.{name}", experiment)
    yield from optimization_problems(config)
    yield from diagnosis_problems(config)
    for diagnosis in config.diagnoses.values():
        for name in diagnosed_tasks(config, diagnosis):
            yield from task_sentence_problems(config, name, config.scorings)
    yield from prediction_problems(config)
    yield from search_problems(config)
    for search in config.searches.values():
        scorings = search.scorings if search.models else []
        for name in search.tasks:
            yield from task_sentence_problems(config, name, scorings)


def _lookup_problems(config: Config, key: str, environment: str, lookup: Lookup) -> Iterator[str]:
    for part, name, kind in (
        ("grid", lookup.grid, GridStates),
        ("check", lookup.check, UniformStates),
    ):
        yield from unknown(f"{key}.{part}", name, config.state_sets)
        states = config.state_sets[name]
        if not isinstance(states, kind) or states.environment != environment:
            sampler = "grid" if part == "grid" else "uniform"
            yield f"{key}.{part}: '{name}' must be {environment} states with sampler: {sampler}"


def _rollout_problems(config: Config, key: str, states: RolloutStates) -> Iterator[str]:
    run = states.run
    yield from unknown(f"{key}.run.task", run.task, config.tasks)
    if run.reward_source not in (*REFERENCES, RANDOM_POLICY):
        yield from unknown(f"{key}.run.reward_source", run.reward_source, config.models)
    elif run.scoring != PLAIN:
        what = f"{run.scoring} has no effect with '{run.reward_source}'"
        yield f"{key}.run.scoring: {what}; remove it"
    task = config.tasks[run.task]
    yield from _scene_problems(f"{key}.run.scene", [run.scene], task.environment)
    if task.environment != states.environment:
        yield f"{key}.environment: '{run.task}' is a {task.environment} task; write that"
    if run.reward_source == RANDOM_POLICY and states.environment not in config.environments:
        what = "only for your own environments; use another sampler"
        yield f"{key}.run.reward_source: '{RANDOM_POLICY}' is {what}"


def _rollout_training_problems(config: Config, key: str, run: TrainingRun) -> Iterator[str]:
    yield from training_problems(
        config,
        run.task,
        [run.scene],
        [run.reward_source],
        [run.scoring] if run.reward_source in config.models else [],
        key=key,
        scene_key=f"{key}.scene",
        scoring_key=f"{key}.scoring",
    )


def _landscape_problems(config: Config, key: str, landscape: Landscape) -> Iterator[str]:
    for name in landscape.tasks:
        yield from _measurement_problems(config, key, landscape, "tasks", name)
        states = config.state_sets[landscape.states]
        if isinstance(states, PathStates):
            oracle = config.tasks[name].oracle
            if oracle is None:
                yield missing_oracle(name, key)
            elif oracle not in states.tasks:
                path = f"the path to '{oracle}'"
                yield f"{key}.states: '{landscape.states}' lacks {path}, the oracle of '{name}'"
        elif not isinstance(states, GridStates):
            yield f"{key}.states: '{landscape.states}' must be a grid, or paths"


def _measurement_problems(
    config: Config, key: str, m: Landscape | Epic, part: str, task_name: str
) -> Iterator[str]:
    yield from unknown(f"{key}.{part}", task_name, config.tasks)
    yield from unknown(f"{key}.states", m.states, config.state_sets)
    for model in m.models:
        yield from unknown(f"{key}.models", model, config.models)
    task, states = config.tasks[task_name], config.state_sets[m.states]
    if task.environment != states.environment:
        yield (
            f"{key}.states: '{m.states}' holds {states.environment} states, but task "
            f"'{task_name}' is a {task.environment} task"
        )
    yield from _scene_problems(f"{key}.scenes", m.scenes, task.environment)
    yield from measured_function_problems(config, m.models)
    yield from learned_states(config, f"{key}.states", m.states, m.models)
    yield from use_problems(config, key, m.models, task_name, m.scenes, f"{key}.scenes")
    yield from task_sentence_problems(config, task_name, config.scorings)


def _experiment_problems(config: Config, key: str, e: Experiment) -> Iterator[str]:
    if not e.models and not e.references:
        yield f"{key}.models: empty, as are the references; name what agents are trained on"
    if e.models and not e.scorings:
        yield f"{key}.scorings: empty; name at least one"
    rewards = len(e.models) * len(e.scorings) + len(e.references)
    runs = len(e.tasks) * len(e.seeds) * len(e.scenes or [1]) * rewards
    if runs > MAX_RUNS:
        yield f"{key}: {runs:,} training runs; make several experiments of at most {MAX_RUNS:,}"
    for model in e.models:
        yield from unknown(f"{key}.models", model, config.models)
    for name in e.tasks:
        yield from unknown(f"{key}.tasks", name, config.tasks)
        environment = config.tasks[name].environment
        yield from _scene_problems(f"{key}.scenes", e.scenes or [], environment)
        yield from training_problems(
            config,
            name,
            e.scenes or [default_scene(environment)],
            [*e.models, *e.references],
            e.scorings if e.models else [],
            key=key,
            scene_key=f"{key}.scenes",
            scoring_key=f"{key}.scorings",
        )


def _architecture_problems(key: str, model: Model) -> Iterator[str]:
    if model.architecture is None:
        return
    match model.source:
        case "packaged":
            known = packaged_models()
        case "simulator":
            known = sim_architectures()
        case "pretrained":
            known = open_clip_architectures()
        case "random":
            known = sim_architectures() + open_clip_architectures()
    if model.architecture not in known:
        hint = suggest(model.architecture, known)
        yield f"{key}: unknown architecture '{model.architecture}'{hint}"


def _scene_problems(key: str, scenes: list[str], environment: str) -> Iterator[str]:
    for scene in scenes:
        if scene not in scenes_of(environment):
            known = suggest(scene, scenes_of(environment))
            yield f"{key}: {environment} has no scene '{scene}'{known}"
