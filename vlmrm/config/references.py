"""References between the sections of a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from vlmrm.config.ensembles import (
    ensemble_problems,
    run_problems,
    training_problems,
    use_problems,
)
from vlmrm.config.environments import environment_problems
from vlmrm.config.functions import measured_function_problems, trained_function_problems
from vlmrm.config.measurements import Epic, Landscape
from vlmrm.config.models import EnsembleModel, Model, PretrainedModel, SimulatorModel
from vlmrm.config.optimization import optimization_problems
from vlmrm.config.prediction import prediction_problems
from vlmrm.config.scoring import PLAIN
from vlmrm.config.searches import search_problems
from vlmrm.config.sentences import sentence_problems
from vlmrm.config.states import GridStates, PathStates, RolloutStates, UniformStates
from vlmrm.config.training import REQUIRED_ALGORITHM, Experiment, Lookup, TrainingRun
from vlmrm.errors import UserError, suggest, unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


MAX_RUNS = 10_000
"""Training runs of an experiment."""


def problems(config: Config) -> Iterator[str]:
    """References between sections that do not hold, each as 'key: what is wrong'."""
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
            key = f"state_sets.{name}.run"
            yield from run_problems(config, key, states.run, f"{key}.scene", f"{key}.scoring")
    for name, landscape in config.landscapes.items():
        yield from _landscape_problems(config, f"landscapes.{name}", landscape)
    for name, epic in config.epic.items():
        if f"alpha-{name}" in config.epic:
            file = f"epic-alpha-{name}.svg"
            yield f"epic.alpha-{name}: {file} is a figure of epic.{name} too; rename one of them"
        yield from _measurement_problems(config, f"epic.{name}", epic, "task", epic.task)
        if epic.task in config.tasks and not (config.tasks[epic.task].oracle or epic.label_files):
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
            yield from _sentence_problems(config, name, config.scorings)
    yield from prediction_problems(config)
    yield from search_problems(config)
    for search in config.searches.values():
        scorings = search.scorings if search.models else []
        for name in search.tasks:
            yield from _sentence_problems(config, name, scorings)


def _lookup_problems(config: Config, key: str, environment: str, lookup: Lookup) -> Iterator[str]:
    for part, name, kind in (
        ("grid", lookup.grid, GridStates),
        ("check", lookup.check, UniformStates),
    ):
        yield from unknown(f"{key}.{part}", name, config.state_sets)
        states = config.state_sets.get(name)
        if states and not (isinstance(states, kind) and states.environment == environment):
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
    if run.task not in config.tasks:
        return
    task = config.tasks[run.task]
    yield from _scene_problems(f"{key}.run.scene", [run.scene], task.environment)
    if task.environment != states.environment:
        yield f"{key}.environment: '{run.task}' is a {task.environment} task; write that"
    if run.reward_source == RANDOM_POLICY and states.environment not in config.environments:
        what = "only for your own environments; use another sampler"
        yield f"{key}.run.reward_source: '{RANDOM_POLICY}' is {what}"
    without_model = run.reward_source in (*REFERENCES, RANDOM_POLICY)
    scorings = [] if without_model else [run.scoring]
    source, key = [run.reward_source], f"{key}.run"
    yield from _run_problems(config, key, f"{key}.scoring", run.task, source, scorings)
    yield from trained_function_problems(config, f"{key}.scoring", run.task, source, scorings)


def _landscape_problems(config: Config, key: str, landscape: Landscape) -> Iterator[str]:
    for name in landscape.tasks:
        yield from _measurement_problems(config, key, landscape, "tasks", name)
        if name not in config.tasks:
            continue
        states = config.state_sets.get(landscape.states)
        if isinstance(states, PathStates):
            oracle = config.tasks[name].oracle
            if oracle is None:
                yield f"tasks.{name}.oracle: missing, but {key} draws the path to it"
            elif oracle not in states.tasks:
                path = f"the path to '{oracle}'"
                yield f"{key}.states: '{landscape.states}' lacks {path}, the oracle of '{name}'"
        elif states is not None and not isinstance(states, GridStates):
            yield f"{key}.states: '{landscape.states}' must be a grid, or paths"


def _measurement_problems(
    config: Config, key: str, m: Landscape | Epic, part: str, task_name: str
) -> Iterator[str]:
    yield from unknown(f"{key}.{part}", task_name, config.tasks)
    yield from unknown(f"{key}.states", m.states, config.state_sets)
    for model in m.models:
        yield from unknown(f"{key}.models", model, config.models)
    if task_name not in config.tasks or m.states not in config.state_sets:
        return
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
    yield from _sentence_problems(config, task_name, config.scorings)


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
        if name not in config.tasks:
            continue
        environment = config.tasks[name].environment
        yield from _scene_problems(f"{key}.scenes", e.scenes or [], environment)
        scenes = e.scenes or [default_scene(environment)]
        yield from use_problems(config, key, e.models, name, scenes, f"{key}.scenes")
        scorings = e.scorings if e.models else []
        yield from _run_problems(config, key, f"{key}.scorings", name, e.references, scorings)
        yield from trained_function_problems(config, f"{key}.scorings", name, e.models, scorings)
        yield from training_problems(config, f"{key}.scorings", e.models, name, scorings)


def _run_problems(
    config: Config,
    key: str,
    scoring_key: str,
    name: str,
    rewards: Sequence[str],
    scorings: list[str],
) -> Iterator[str]:
    """Why a known task cannot be trained on some rewards, or, by models, with some scorings."""
    task = config.tasks[name]
    yield from _sentence_problems(config, name, scorings)
    if task.oracle is None and {"oracle", "oracle-score"} & set(rewards):
        yield f"tasks.{name}.oracle: missing, but {key} trains on it"
    if task.environment in config.environments and "oracle-score" in rewards:
        what = "says success or not, and no distance to it; use oracle"
        yield f"{key}: oracle-score of task '{name}': '{task.environment}' {what}"
    training = config.training.get(task.environment)
    if training is None:
        yield f"training.{task.environment}: missing, but {key} trains task '{name}'"
        return
    agent = training.agent
    if agent.learning_starts >= agent.total_timesteps:
        what = f"{agent.learning_starts} is not below total_timesteps ({agent.total_timesteps})"
        yield f"training.{task.environment}.agent.learning_starts: {what}; lower it"
    if (round_steps := agent.round_steps) > agent.total_timesteps:
        what = f"with {agent.n_envs} environments, {round_steps} steps before the first update"
        key = f"training.{task.environment}.agent.train_freq"
        yield f"{key}: {what}, more than total_timesteps ({agent.total_timesteps}); lower it"
    if training.lookup is None:
        return
    for scoring in scorings:
        if scoring not in config.scorings:
            why = f"the rewards of task '{name}' are looked up among those of `scorings`"
            yield f"{scoring_key}: {scoring} is not scored, but {why}; add it there"


def check_run(config: Config, run: TrainingRun) -> None:
    """Refuses a single run for the reasons for which an experiment is refused.

    Raises:
        UserError: The run cannot be trained; names the key or option.
    """
    source, scorings = run.reward_source, [run.scoring]
    if source in REFERENCES:
        if run.scoring != PLAIN:
            raise UserError(
                f"--scoring: {run.scoring} has no effect with --reward-source {source}; "
                "leave it out"
            )
        scorings = []
    key = f"--reward-source {source}"
    for problem in (
        *_run_problems(config, key, "--scoring", run.task, [source], scorings),
        *trained_function_problems(config, "--scoring", run.task, [source], scorings),
        *run_problems(config, key, run, "--scene", "--scoring"),
    ):
        raise UserError(problem)


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


def _sentence_problems(config: Config, name: str, scorings: list[str]) -> Iterator[str]:
    """Sentences of a task that do not suit these scorings."""
    task, contrasts = config.tasks[name], config.contrasts(name)
    for scoring in scorings:
        for kind, problem in sentence_problems(scoring, task.goals, task.baselines, contrasts):
            yield f"tasks.{name}.{kind}: {problem}"
