"""The whole configuration: all sections, and checks of the references between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from pydantic import model_validator

from vlmrm.config.architectures import family_architectures, open_clip_architectures
from vlmrm.config.base import (
    ORACLES,
    RANDOM_POLICY,
    REFERENCES,
    SCENES,
    Alpha,
    ConfigModel,
    EnvironmentName,
    Name,
    NonEmptyList,
    Precision,
)
from vlmrm.config.measurements import Epic, Landscape, Rendering, Task
from vlmrm.config.models import Corpus, Model, PretrainedModel, SimulatorModel
from vlmrm.config.paper_code import PaperCode
from vlmrm.config.states import GridStates, PathStates, RolloutStates, StateSet, UniformStates
from vlmrm.config.training import ALGORITHMS, Evaluation, Experiment, Lookup, Training, TrainingRun
from vlmrm.errors import suggest


class Config(ConfigModel):
    """One experiment from models to figures."""

    run: Name
    """Name of the run. Its results are in `results/RUN`."""
    alphas: NonEmptyList[Alpha]
    """Regularization strengths for scoring state sets; 0 is the plain cosine similarity."""
    models: dict[Name, Model]
    """The reward models, from three sources."""
    corpora: dict[Name, Corpus] = {}
    tasks: dict[Name, Task]
    rendering: Rendering = Rendering()
    precision: Precision = "auto"
    """Number format of the reward models' image towers. `auto` is bfloat16 on hardware with
    bfloat16 matrix multiplication, otherwise float32. Use one precision for all rewards of a
    run."""
    state_sets: dict[Name, StateSet] = {}
    """Sets of simulator states, from five samplers."""
    landscapes: dict[Name, Landscape] = {}
    epic: dict[Name, Epic] = {}
    training: dict[EnvironmentName, Training] = {}
    experiments: dict[Name, Experiment] = {}
    evaluation: Evaluation = Evaluation()
    paper_code: PaperCode = PaperCode()

    @property
    def prompts(self) -> list[str]:
        """Every prompt of every task, once, in a fixed order."""
        return sorted({p for task in self.tasks.values() for p in task.goals + task.baselines})

    def runs(self, experiment: str) -> Iterator[TrainingRun]:
        """The training runs of an experiment, references last."""
        e = self.experiments[experiment]
        for task, seed in product(e.tasks, e.seeds):
            default, *_ = SCENES[self.tasks[task].environment]
            for scene in e.scenes or [default]:
                for model, alpha in product(e.models, e.alphas):
                    yield TrainingRun(task=task, scene=scene, reward=model, alpha=alpha, seed=seed)
                for reference in e.references:
                    yield TrainingRun(task=task, scene=scene, reward=reference, alpha=0, seed=seed)

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        """References between sections that do not hold, each as 'key: what is wrong'."""
        for name, model in self.models.items():
            if isinstance(model, SimulatorModel):
                yield from _missing(f"models.{name}.corpus", model.corpus, self.corpora)
            if isinstance(model, PretrainedModel):
                yield from (f"models.{name}.{key}: {what}" for key, what in model.problems())
            yield from _architecture_problems(f"models.{name}.architecture", model)
            if name in (*REFERENCES, RANDOM_POLICY):
                yield f"models.{name}: the name is taken by a reference; choose another"
        for name, corpus in self.corpora.items():
            for environment, scenes in corpus.frames.items():
                key = f"corpora.{name}.frames.{environment}"
                yield from _scene_problems(key, list(scenes), environment)
        for name, task in self.tasks.items():
            fitting = ORACLES[task.environment]
            if task.oracle is not None and task.oracle not in fitting:
                what = f"'{task.oracle}' judges no {task.environment} states"
                yield f"tasks.{name}.oracle: {what}{suggest(task.oracle, fitting)}"
        for name, states in self.state_sets.items():
            if isinstance(states, RolloutStates):
                yield from self._rollout_problems(f"state_sets.{name}", states)
        for name, landscape in self.landscapes.items():
            yield from self._landscape_problems(f"landscapes.{name}", landscape)
        for name, epic in self.epic.items():
            yield from self._measurement_problems(f"epic.{name}", epic, "task", epic.task)
            if epic.task in self.tasks and self.tasks[epic.task].oracle is None:
                key = f"tasks.{epic.task}.oracle"
                yield f"{key}: missing, but epic.{name} measures against its labels"
        for environment, training in self.training.items():
            algorithm, fit = training.agent.algorithm, ALGORITHMS[environment]
            if algorithm != fit:
                key = f"training.{environment}.agent.algorithm"
                yield f"{key}: {algorithm} cannot act in {environment}; write {fit}"
            if training.lookup is not None:
                key = f"training.{environment}.lookup"
                yield from self._lookup_problems(key, environment, training.lookup)
                if self.paper_code.frames_after_reset:
                    yield f"paper_code.frames_after_reset: not with {key}; remove one of them"
        for name, experiment in self.experiments.items():
            yield from self._experiment_problems(f"experiments.{name}", experiment)

    def _lookup_problems(self, key: str, environment: str, lookup: Lookup) -> Iterator[str]:
        for part, name, kind in (
            ("grid", lookup.grid, GridStates),
            ("check", lookup.check, UniformStates),
        ):
            yield from _missing(f"{key}.{part}", name, self.state_sets)
            states = self.state_sets.get(name)
            if states and not (isinstance(states, kind) and states.environment == environment):
                sampler = "grid" if part == "grid" else "uniform"
                yield f"{key}.{part}: '{name}' must be {environment} states with sampler: {sampler}"

    def _rollout_problems(self, key: str, states: RolloutStates) -> Iterator[str]:
        run = states.run
        yield from _missing(f"{key}.run.task", run.task, self.tasks)
        if run.reward not in REFERENCES:
            yield from _missing(f"{key}.run.reward", run.reward, self.models)
        elif run.alpha:
            yield f"{key}.run.alpha: {run.alpha:g} means nothing to '{run.reward}'; write 0"
        if run.task not in self.tasks:
            return
        task = self.tasks[run.task]
        yield from _scene_problems(f"{key}.run.scene", [run.scene], task.environment)
        if task.environment != states.environment:
            yield f"{key}.environment: '{run.task}' is a {task.environment} task; write that"
        alphas = [] if run.reward in REFERENCES else [run.alpha]
        yield from self._run_problems(f"{key}.run", "alpha", run.task, [run.reward], alphas)

    def _landscape_problems(self, key: str, landscape: Landscape) -> Iterator[str]:
        for name in landscape.tasks:
            yield from self._measurement_problems(key, landscape, "tasks", name)
            if name not in self.tasks:
                continue
            states = self.state_sets.get(landscape.states)
            if isinstance(states, PathStates):
                oracle = self.tasks[name].oracle
                if oracle is None:
                    yield f"tasks.{name}.oracle: missing, but {key} draws the path to it"
                elif oracle not in states.tasks:
                    path = f"the path to '{oracle}'"
                    yield f"{key}.states: '{landscape.states}' lacks {path}, the oracle of '{name}'"
            elif states is not None and not isinstance(states, GridStates):
                yield f"{key}.states: '{landscape.states}' must be a grid, or paths"

    def _measurement_problems(
        self, key: str, m: Landscape | Epic, part: str, task_name: str
    ) -> Iterator[str]:
        yield from _missing(f"{key}.{part}", task_name, self.tasks)
        yield from _missing(f"{key}.states", m.states, self.state_sets)
        for model in m.models:
            yield from _missing(f"{key}.models", model, self.models)
        if task_name not in self.tasks or m.states not in self.state_sets:
            return
        task, states = self.tasks[task_name], self.state_sets[m.states]
        if task.environment != states.environment:
            yield (
                f"{key}.states: '{m.states}' holds {states.environment} states, but task "
                f"'{task_name}' is a {task.environment} task"
            )
        yield from _scene_problems(f"{key}.scenes", m.scenes, task.environment)
        yield from _baseline_problems(task_name, task, self.alphas)

    def _experiment_problems(self, key: str, e: Experiment) -> Iterator[str]:
        if not e.models and not e.references:
            yield f"{key}.models: empty, as are the references; name what agents are trained on"
        if e.models and not e.alphas:
            yield f"{key}.alphas: empty; name at least one"
        for model in e.models:
            yield from _missing(f"{key}.models", model, self.models)
        for name in e.tasks:
            yield from _missing(f"{key}.tasks", name, self.tasks)
            if name not in self.tasks:
                continue
            environment = self.tasks[name].environment
            yield from _scene_problems(f"{key}.scenes", e.scenes or [], environment)
            alphas = e.alphas if e.models else []
            yield from self._run_problems(key, "alphas", name, e.references, alphas)

    def _run_problems(
        self, key: str, part: str, name: str, rewards: Sequence[str], alphas: list[float]
    ) -> Iterator[str]:
        """Why a known task cannot be trained on some rewards, or, by models, at some alphas."""
        task = self.tasks[name]
        yield from _baseline_problems(name, task, alphas)
        if "oracle" in rewards and task.oracle is None:
            yield f"tasks.{name}.oracle: missing, but {key} trains on it"
        training = self.training.get(task.environment)
        if training is None:
            yield f"training.{task.environment}: missing, but {key} trains task '{name}'"
            return
        agent = training.agent
        if agent.learning_starts >= agent.total_timesteps:
            what = f"{agent.learning_starts} is not below total_timesteps ({agent.total_timesteps})"
            yield f"training.{task.environment}.agent.learning_starts: {what}; lower it"
        if training.lookup is None:
            return
        for alpha in alphas:
            if alpha not in self.alphas:
                why = f"the rewards of task '{name}' are looked up among those of `alphas`"
                yield f"{key}.{part}: {alpha:g} is not scored, but {why}; add it there"


def _missing(key: str, name: str, section: Mapping[str, object]) -> Iterator[str]:
    if name not in section:
        yield f"{key}: unknown name '{name}'{suggest(name, section)}"


def _architecture_problems(key: str, model: Model) -> Iterator[str]:
    if model.architecture is None:
        return
    known = [] if model.source == "pretrained" else family_architectures()
    if model.source != "simulator":
        known = known + open_clip_architectures()
    if model.architecture not in known:
        hint = suggest(model.architecture, known)
        yield f"{key}: unknown architecture '{model.architecture}'{hint}"


def _scene_problems(key: str, scenes: list[str], environment: str) -> Iterator[str]:
    for scene in scenes:
        if scene not in SCENES[environment]:
            known = suggest(scene, SCENES[environment])
            yield f"{key}: {environment} has no scene '{scene}'{known}"


def _baseline_problems(name: str, task: Task, alphas: list[float]) -> Iterator[str]:
    if any(alphas) and not task.baselines:
        yield f"tasks.{name}.baseline: missing; every alpha above 0 needs a baseline prompt"
