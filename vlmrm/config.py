"""The whole configuration as typed models: one validator for the CLI, the Snakefile and tests.

The models are read from top (`Config`) to bottom in the order of a config file. Every key is
explained by its ``description``; `config.yaml` repeats the explanation where the key stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vlmrm.errors import UserError, suggest
from vlmrm.models.names import family_architectures, open_clip_architectures

EnvironmentName = Literal["cartpole", "mountain-car", "humanoid"]

HumanoidOracleName = Literal[
    "kneeling",
    "lotus",
    "standing",
    "arms-raised",
    "splits",
    "hands-on-hips",
    "arms-crossed",
    "one-leg",
]

RANDOM_POLICY = "random-policy"
"""In place of a reward's name: uniformly random actions, trained on nothing."""

OracleName = Literal["cartpole", "mountain-car", HumanoidOracleName]

SCENES: dict[str, tuple[str, ...]] = {
    "cartpole": ("original",),
    "mountain-car": ("textured", "original"),
    "humanoid": ("textured-fixed", "textured", "original"),
}
"""The scenes of each environment, its default first."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A name that becomes part of file names."""

Alpha = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


# --- models -------------------------------------------------------------------------------------


class PretrainedModel(Section):
    """Published CLIP weights."""

    source: Literal["pretrained"]
    architecture: str
    """Name of an open_clip architecture, for example `ViT-L-14`."""
    tag: str
    """Name of the weights among those of this architecture, for example `laion2b_s32b_b82k`."""


class SimulatorModel(Section):
    """A small CLIP model trained here on rendered simulator frames and generated captions.

    Never zero-shot: it has seen this domain.
    """

    source: Literal["simulator"]
    architecture: Name
    """Size within the offline family: a file of `vlmrm/models/architectures/`."""
    corpus: Name
    """Which of `corpora` it is trained on."""
    epochs: PositiveInt = 8
    """Passes over the corpus."""
    batch_size: PositiveInt = 64
    """Image-text pairs per step: every other caption of the batch is a negative."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    """Peak of the one-cycle schedule of AdamW for the image tower."""
    seed: int = 0


class RandomModel(Section):
    """An untrained model: the control that any reward model has to beat."""

    source: Literal["random"]
    architecture: Name
    """An architecture of the offline family, or of open_clip."""
    seed: int = 0


Model = Annotated[PretrainedModel | SimulatorModel | RandomModel, Field(discriminator="source")]


class Corpus(Section):
    """Image-text pairs rendered from the simulators, to train the offline family on."""

    frames: dict[EnvironmentName, dict[str, PositiveInt]]
    """How many frames of each environment, scene by scene."""
    image_size: PositiveInt = 64
    """Side of the square images in pixels."""
    seed: int = 0


# --- tasks and states ---------------------------------------------------------------------------


class Task(Section):
    """What the agent shall do, as a sentence."""

    environment: EnvironmentName
    goal: str | list[str]
    """The sentence that describes success; the embeddings of several are averaged."""
    baseline: str | list[str] | None = None
    """A sentence that describes any state; needed by every alpha above 0."""
    oracle: OracleName | None = None
    """The judge of success, by simulator state. Without one the task is trained, not scored."""

    @property
    def goals(self) -> list[str]:
        return [self.goal] if isinstance(self.goal, str) else self.goal

    @property
    def baselines(self) -> list[str]:
        return [self.baseline] if isinstance(self.baseline, str) else self.baseline or []


class GridStates(Section):
    """The states of a classic-control environment on a grid over what its picture shows."""

    sampler: Literal["grid"]
    environment: Literal["cartpole", "mountain-car"]
    resolution: Annotated[float, Field(gt=0)] = 1.0
    """Multiplies the number of grid points along each axis."""


class UniformStates(Section):
    """Uniformly drawn states of a classic-control environment."""

    sampler: Literal["uniform"]
    environment: Literal["cartpole", "mountain-car"]
    size: PositiveInt
    seed: int = 0


class PoseStates(Section):
    """Humanoid states around a task's poses, its hard negatives, other tasks, and random ones."""

    sampler: Literal["poses"]
    environment: Literal["humanoid"] = "humanoid"
    task: HumanoidOracleName
    """The task whose poses and hard negatives take the largest share. All oracles label."""
    size: PositiveInt
    seed: int = 0


StateSet = Annotated[GridStates | UniformStates | PoseStates, Field(discriminator="sampler")]


class Rendering(Section):
    """Image sizes; classic control is always drawn at 400 x 600 pixels."""

    humanoid_size: Annotated[int, Field(ge=32, le=1024)] = 224
    """Side of the square humanoid frames in pixels."""
    shadows: bool = False
    """Soft shadows in the humanoid scenes; without a GPU, drawing takes three times longer."""


# --- measurements -------------------------------------------------------------------------------


class Landscape(Section):
    """Reward against state, for all alphas (figure 2 of the paper)."""

    task: Name
    states: Name
    scenes: list[str]
    models: list[Name]


class Epic(Section):
    """EPIC distance between the reward and the labels of a state set, for all alphas."""

    task: Name
    states: Name
    scenes: list[str]
    models: list[Name]
    bootstrap: PositiveInt = 1000
    """Resamples behind each 95 % interval."""
    seed: int = 0


# --- training -----------------------------------------------------------------------------------


class DQN(Section):
    """Deep Q-learning by Stable-Baselines3."""

    algorithm: Literal["dqn"]
    steps: PositiveInt
    """Environment steps, over all parallel environments."""
    episode_steps: PositiveInt = 200
    """Time limit of an episode: a truncation, never a termination."""
    environments: PositiveInt = 1
    """Parallel environments."""
    learning_starts: Annotated[int, Field(ge=0)] = 1000
    """Steps of random actions before the first update."""
    train_frequency: PositiveInt = 200
    """Steps of each environment between two rounds of updates."""
    gradient_steps: PositiveInt = 200
    """Updates in one round."""
    batch_size: PositiveInt = 64
    """Transitions per update."""
    buffer_size: PositiveInt = 100_000
    """Transitions kept for replay."""
    learning_rate: Annotated[float, Field(gt=0)] = 2.3e-3
    gamma: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Discount per step."""
    hidden: list[PositiveInt] = [256, 256]
    """Widths of the hidden layers."""
    target_update_interval: PositiveInt = 10
    """Steps between two copies into the target network."""
    exploration_fraction: Annotated[float, Field(gt=0, le=1)] = 0.16
    """Share of the training over which epsilon falls to its final value."""
    exploration_final_eps: Annotated[float, Field(ge=0, le=1)] = 0.04
    """Final share of random actions."""
    checkpoint_every: PositiveInt = 64_000
    """Steps between two checkpoints."""


class SAC(Section):
    """Soft actor-critic by Stable-Baselines3."""

    algorithm: Literal["sac"]
    steps: PositiveInt
    """Environment steps, over all parallel environments."""
    episode_steps: PositiveInt = 100
    """Time limit of an episode: a truncation, never a termination."""
    environments: PositiveInt = 8
    """Parallel environments."""
    learning_starts: Annotated[int, Field(ge=0)] = 50_000
    """Steps of random actions before the first update."""
    train_frequency: PositiveInt = 100
    """Steps of each environment between two rounds of updates."""
    gradient_steps: PositiveInt = 100
    """Updates in one round."""
    batch_size: PositiveInt = 512
    """Transitions per update."""
    buffer_size: PositiveInt = 1_000_000
    """Transitions kept for replay."""
    learning_rate: Annotated[float, Field(gt=0)] = 6e-4
    gamma: Annotated[float, Field(ge=0, lt=1)] = 0.95
    """Discount per step."""
    hidden: list[PositiveInt] = [256, 256]
    """Widths of the hidden layers."""
    tau: Annotated[float, Field(gt=0, le=1)] = 0.005
    """Share of the online weights that moves into the target network at each update."""
    ent_coef: str | float = "auto"
    """Weight of the entropy bonus; `auto` learns it."""
    use_sde: bool = False
    """Exploration noise that depends on the state and changes slowly (gSDE)."""
    checkpoint_every: PositiveInt = 128_000
    """Steps between two checkpoints."""


Algorithm = Annotated[DQN | SAC, Field(discriminator="algorithm")]


class Training(Section):
    """How the agents of one environment learn."""

    agent: Algorithm
    lookup: Name | None = None
    """A grid of `states`: rewards are interpolated on it instead of computed from frames."""


class Experiment(Section):
    """Training runs compared with each other: every combination of the lists is one run."""

    tasks: list[Name]
    scenes: list[str] | None = None
    """Scenes in which the reward model sees the agent; the environment's default if left out."""
    models: list[Name]
    alphas: list[Alpha]
    references: list[Literal["oracle", "ground-truth"]] = []
    """The same agent trained on the oracle, or on the environment's own reward, for comparison."""
    seeds: list[int]


class Evaluation(Section):
    """How trained policies are judged."""

    trajectories: PositiveInt = 100
    """Trajectories of one evaluation."""
    seed: int = 10_000
    """Start of the initial states; keep it away from the training seeds."""
    video_trajectories: PositiveInt = 3
    """Trajectories in the video."""
    video_size: Annotated[int, Field(ge=32, le=1024)] = 320
    """Side of the humanoid's square videos in pixels."""


class TrainingRun(Section):
    """One training: a combination of an experiment's lists."""

    task: Name
    scene: str
    reward: Name
    """A model's name, or `oracle` or `ground-truth`."""
    alpha: float
    """Regularisation strength; 0 for the references, which have none."""
    seed: int


class Config(Section):
    """One experiment from models to figures."""

    run: Name
    """Names the folder of the results."""
    alphas: Annotated[list[Alpha], Field(min_length=1)]
    """Regularisation strengths at which states are scored."""
    models: dict[Name, Model]
    corpora: dict[Name, Corpus] = {}
    tasks: dict[Name, Task]
    rendering: Rendering = Rendering()
    states: dict[Name, StateSet] = {}
    landscapes: dict[Name, Landscape] = {}
    epic: dict[Name, Epic] = {}
    training: dict[EnvironmentName, Training] = {}
    experiments: dict[Name, Experiment] = {}
    evaluation: Evaluation = Evaluation()

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
            yield from _architecture_problems(f"models.{name}.architecture", model)
            if name in ("oracle", "ground-truth", RANDOM_POLICY):
                yield f"models.{name}: the name is taken by a reference; choose another"
        for name, corpus in self.corpora.items():
            for environment, scenes in corpus.frames.items():
                key = f"corpora.{name}.frames.{environment}"
                yield from _scene_problems(key, list(scenes), environment)
        measurements: list[tuple[str, Landscape | Epic]] = [
            *((f"landscapes.{n}", m) for n, m in self.landscapes.items()),
            *((f"epic.{n}", m) for n, m in self.epic.items()),
        ]
        for key, measurement in measurements:
            yield from self._measurement_problems(key, measurement)
        for environment, training in self.training.items():
            if training.lookup is not None:
                key = f"training.{environment}.lookup"
                yield from _missing(key, training.lookup, self.states)
        for name, experiment in self.experiments.items():
            yield from self._experiment_problems(f"experiments.{name}", experiment)

    def _measurement_problems(self, key: str, m: Landscape | Epic) -> Iterator[str]:
        yield from _missing(f"{key}.task", m.task, self.tasks)
        yield from _missing(f"{key}.states", m.states, self.states)
        for model in m.models:
            yield from _missing(f"{key}.models", model, self.models)
        if m.task not in self.tasks or m.states not in self.states:
            return
        task, states = self.tasks[m.task], self.states[m.states]
        if task.environment != states.environment:
            yield (
                f"{key}.states: '{m.states}' holds {states.environment} states, but task "
                f"'{m.task}' is a {task.environment} task"
            )
        yield from _scene_problems(f"{key}.scenes", m.scenes, task.environment)
        yield from _baseline_problems(m.task, task, self.alphas)
        if isinstance(m, Epic) and task.oracle is None:
            yield f"tasks.{m.task}.oracle: missing, but {key} measures against its labels"

    def _experiment_problems(self, key: str, e: Experiment) -> Iterator[str]:
        for model in e.models:
            yield from _missing(f"{key}.models", model, self.models)
        for name in e.tasks:
            yield from _missing(f"{key}.tasks", name, self.tasks)
            if name not in self.tasks:
                continue
            task = self.tasks[name]
            yield from _scene_problems(f"{key}.scenes", e.scenes or [], task.environment)
            yield from _baseline_problems(name, task, e.alphas)
            if task.environment not in self.training:
                yield f"training.{task.environment}: missing, but {key} trains task '{name}'"
            if "oracle" in e.references and task.oracle is None:
                yield f"tasks.{name}.oracle: missing, but {key}.references asks for it"


def _missing(key: str, name: str, section: Mapping[str, object]) -> Iterator[str]:
    if name not in section:
        yield f"{key}: unknown name '{name}'{suggest(name, section)}"


def _architecture_problems(key: str, model: Model) -> Iterator[str]:
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


def load_config(path: str | Path) -> Config:
    """Reads and validates a YAML file.

    Raises:
        UserError: The file is missing or not YAML, or a key or value is wrong; names it.
    """
    try:
        content = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    return parse_config(content, source=str(path))


def parse_config(content: Any, source: str = "config") -> Config:
    """Validates what a YAML file held; `source` names it in errors.

    Raises:
        UserError: A key or value is wrong; names the first such key.
    """
    if not isinstance(content, dict):
        raise UserError(f"{source}: holds no keys; start from config/demo.yaml")
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{source}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    """Pydantic's first complaint as 'key: what is wrong, what to do'."""
    problem = error.errors()[0]
    # Discriminated unions put the chosen tag into the location; users wrote no such key.
    tags = {"pretrained", "simulator", "random", "grid", "uniform", "poses", "dqn", "sac", "[key]"}
    location = [str(part) for part in problem["loc"] if str(part) not in tags]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key{suggest(location[-1], _known_keys(problem['loc']))}"
    if problem["type"] == "missing":
        return f"{key}: missing; add it"
    message = re.sub(r"^Value error, ", "", problem["msg"])
    if problem["type"] == "value_error" and not location:
        return message
    return f"{key}: {message[0].lower()}{message[1:]}, got {problem['input']!r}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys that a section at ``location`` (of an unknown key) takes."""
    schema = Config.model_json_schema()
    node: dict[str, Any] = schema
    for part in location[:-1]:
        node = _resolve(node, schema)
        if "properties" in node and part in node["properties"]:
            node = node["properties"][part]
        elif "discriminator" in node and part in node["discriminator"]["mapping"]:
            node = {"$ref": node["discriminator"]["mapping"][part]}
        else:
            node = next(
                (
                    node[key]
                    for key in ("additionalProperties", "items")
                    if isinstance(node.get(key), dict)
                ),
                node.get("patternProperties", {}).get(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", {}),
            )
    return list(_resolve(node, schema).get("properties", {}))


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        definition: dict[str, Any] = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        return definition
    return node
