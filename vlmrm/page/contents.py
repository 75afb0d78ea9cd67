"""What the page of a run shows, in the order of the argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from vlmrm.config import Config, Epic, Landscape, TrainingRun
from vlmrm.config.corpus_references import needs_agents
from vlmrm.config.diagnosis import Diagnosis, diagnosed_tasks
from vlmrm.config.scoring import alpha_of

CLAIM_KINDS = ("epic", "best-of-n", "success", "size", "optimization", "search", "prediction")
"""Tables that claims are about, as the names of their files begin."""

PAGE = "index.html"
"""The page, in the folder of the run."""

TITLES = {
    "landscape": "Reward landscape",
    "landscape-table": "Numbers of the reward landscape",
    "epic-overview": "EPIC distance and AUROC of all tasks",
    "epic": "EPIC distance by size of the model",
    "epic-alpha": "EPIC distance by strength of the regularization",
    "rewards-by-label": "Rewards of successes and failures",
    "epic-table": "Measures of the reward",
    "agreement": "Agreement of raters",
    "best-of-n": "Best of n states",
    "gallery": "States that the rewards rank most wrongly",
    "gallery-table": "Ranks of these states, and the criteria that they fail",
    "search": "Searches that climb the rewards",
    "search-gallery": "What the searches found",
    "search-table": "Reward and success of the searches",
    "diagnosis": "Which poses the sentences mean",
    "diagnosis-table": "How good a reward each sentence is, before any training",
    "learning-curves": "Learning curves",
    "success": "Success of the agents",
    "success-table": "Success of the agents, by seed",
    "success-by-size": "Success of the agents by size of the model",
    "success-by-size-table": "Success of the agents and size of their models",
    "video": "Video of an agent",
    "filmstrip": "Moments of the agents",
    "optimization": "Reward and success by checkpoint",
    "divergence": "Reward and success by divergence of visited states",
    "optimization-table": "What optimization did to the success",
    "rounds": "Adversarial rounds",
    "prediction": "Measures of a reward against the success of its agents",
    "prediction-table": "Correlation of the measures with success",
    "claims": "Claims",
    "scenes": "Scenes",
    "poses": "Pose library",
    "boundaries": "Borderline states",
    "oracles": "Verdicts of the oracles",
}
"""Titles of figures, tables, and videos, by the names of their captions in `captions/`."""


@dataclass(frozen=True)
class Exhibit:
    """A figure or a table of a run.

    Attributes:
        name: Of its file, without folder and suffix.
        caption: Name of its caption, which stands for its kind.
        subject: The entry of the configuration that it is about.
        tasks: What it shows; where empty, it belongs to each choice of the page's reader.
        models: Likewise.
        is_table: Whether it is in `tables/`; otherwise in `figures/`.
    """

    name: str
    caption: str
    subject: str = ""
    tasks: Sequence[str] = ()
    models: Sequence[str] = ()
    is_table: bool = False

    @property
    def title(self) -> str:
        return TITLES[self.caption] + (f": {self.subject}" if self.subject else "")

    @property
    def has_claims(self) -> bool:
        """Whether it is a table that claims are about."""
        return self.is_table and self.name.startswith(tuple(f"{kind}-" for kind in CLAIM_KINDS))


class Section(NamedTuple):
    """A part of the page: its anchor, its title, and its figures and tables."""

    key: str
    title: str
    exhibits: list[Exhibit]


def contents(config: Config) -> list[Section]:
    """The sections of a run that have figures or tables, finished or not."""
    sections = [
        Section("landscapes", "Reward landscapes", list(_landscapes(config))),
        Section("epic", "EPIC distances", list(_epic(config))),
        Section("best-of-n", "Best of n", list(_best_of_n(config))),
        Section("diagnosis", "Diagnosis before training", list(_diagnoses(config))),
        Section("agents", "Agents", list(_agents(config))),
        Section("sizes", "Success by size of the model", list(_sizes(config))),
        Section("filmstrips", "Filmstrips", list(_filmstrips(config))),
        Section("optimization", "Over-optimization", list(_optimization(config))),
        Section("prediction", "Predictions of success", list(_predictions(config))),
    ]
    if any(exhibit.has_claims for section in sections for exhibit in section.exhibits):
        sections.append(Section("claims", "Claims", [Exhibit("claims", "claims", is_table=True)]))
    sections.append(Section("scenes", "Scenes and oracles", list(_scenes(config))))
    return [section for section in sections if section.exhibits]


def first_exhibits(config: Config) -> Iterator[Exhibit]:
    """Figures and tables of rewards that are measured before any agent is trained."""
    measurements: dict[str, Mapping[str, Landscape | Epic | Diagnosis]] = {
        "landscapes": config.landscapes,
        "epic": config.epic,
        "best-of-n": config.epic,
        "diagnosis": config.diagnoses,
    }
    for section in contents(config):
        measured = measurements.get(section.key, {})
        late = {name for name, m in measured.items() if needs_agents(config, m.states, m.models)}
        for exhibit in section.exhibits if measured else []:
            # An overview is about all of them.
            if not late & ({exhibit.subject} if exhibit.subject else measured.keys()):
                yield exhibit


def recorded_runs(config: Config) -> list[TrainingRun]:
    """The runs of whose agents there are videos: by task, in the order of the configuration."""
    runs = dict.fromkeys(run for name in config.experiments for run in config.runs(name))
    tasks = list(config.tasks)
    return sorted(runs, key=lambda run: tasks.index(run.task))


def judged_measurements(config: Config) -> dict[str, Epic]:
    """EPIC measurements of tasks with an oracle; people alone label the states of the others."""
    return {name: epic for name, epic in config.epic.items() if config.tasks[epic.task].oracle}


def is_judged(config: Config, experiment: str) -> bool:
    """Whether an oracle judges a task of an experiment."""
    return any(config.tasks[task].oracle for task in config.experiments[experiment].tasks)


def compares_sizes(config: Config, experiment: str) -> bool:
    """Whether agents of an experiment are judged whose reward models differ in size.

    Functions have no size, and random weights are a control.
    """
    names = config.experiments[experiment].models
    models = {name: config.models[name] for name in names}
    sizes = {
        model.architecture or name
        for name, model in models.items()
        if model.source not in ("function", "random")
    }
    return is_judged(config, experiment) and len(sizes) > 1


def sized_models(config: Config, experiment: str) -> list[str]:
    """The models of an experiment that have a size."""
    names = config.experiments[experiment].models
    return [name for name in names if config.models[name].source != "function"]


def measurements_of(config: Config, experiment: str) -> list[str]:
    """EPIC measurements that compare the rewards that agents of an experiment are trained on."""
    rewards = {(run.task, run.scene, run.reward_source) for run in config.runs(experiment)}
    found = []
    for name, epic in config.epic.items():
        shared = rewards & set(product([epic.task], epic.scenes, epic.models))
        if len({model for _, _, model in shared}) > 1:
            found.append(name)
    return found


def has_filmstrip(config: Config, experiment: str) -> bool:
    """Whether states of an agent of an experiment can be rendered again."""
    return any(config.can_render(task) for task in config.experiments[experiment].tasks)


def _experiment(config: Config, name: str) -> tuple[str, Sequence[str], Sequence[str]]:
    """Subject, tasks, and models of what shows an experiment."""
    experiment = config.experiments[name]
    return name, experiment.tasks, experiment.models


def _with_table(
    kind: str, name: str, tasks: Sequence[str], models: Sequence[str], table: str = ""
) -> Iterator[Exhibit]:
    """A figure, and a table of the same name with its numbers."""
    yield Exhibit(f"{kind}-{name}", kind, name, tasks, models)
    yield Exhibit(f"{kind}-{name}", table or f"{kind}-table", name, tasks, models, is_table=True)


def _landscapes(config: Config) -> Iterator[Exhibit]:
    for name, landscape in config.landscapes.items():
        yield from _with_table("landscape", name, landscape.tasks, landscape.models)


def _epic(config: Config) -> Iterator[Exhibit]:
    if config.epic:
        yield Exhibit("epic", "epic-overview")
    judged = judged_measurements(config)
    has_alphas = any(alpha_of(scoring) is not None for scoring in config.scorings)
    for name, epic in config.epic.items():
        shown = (name, (epic.task,), epic.models)
        figure, table = _with_table("epic", *shown)
        yield figure
        if has_alphas:
            yield Exhibit(f"epic-alpha-{name}", "epic-alpha", *shown)
        if name in judged:
            yield Exhibit(f"rewards-{name}", "rewards-by-label", *shown)
        yield table
        # Raters agree with the oracle, or with each other.
        if epic.label_files and (name in judged or len(epic.label_files) > 1):
            yield Exhibit(f"agreement-{name}", "agreement", name, (epic.task,), is_table=True)


def _best_of_n(config: Config) -> Iterator[Exhibit]:
    judged = judged_measurements(config)
    for name, epic in judged.items():
        yield from _with_table("best-of-n", name, [epic.task], epic.models, table="best-of-n")
    for name, epic in judged.items():
        if config.can_render(epic.task):
            yield from _with_table("gallery", name, [epic.task], epic.models)


def _diagnoses(config: Config) -> Iterator[Exhibit]:
    for name, diagnosis in config.diagnoses.items():
        tasks = diagnosed_tasks(config, diagnosis)
        yield from _with_table("diagnosis", name, tasks, diagnosis.models)


def _agents(config: Config) -> Iterator[Exhibit]:
    for name in config.experiments:
        shown = _experiment(config, name)
        yield Exhibit(f"learning-{name}", "learning-curves", *shown)
        if is_judged(config, name):
            yield from _with_table("success", *shown)


def _sizes(config: Config) -> Iterator[Exhibit]:
    for name in config.experiments:
        if compares_sizes(config, name):
            # Tables that begin with "success-" are of the agents alone.
            shown = _experiment(config, name)
            yield Exhibit(f"size-{name}", "success-by-size", *shown)
            yield Exhibit(f"size-{name}", "success-by-size-table", *shown, is_table=True)


def _filmstrips(config: Config) -> Iterator[Exhibit]:
    for name in config.experiments:
        if has_filmstrip(config, name):
            yield Exhibit(f"filmstrip-{name}", "filmstrip", *_experiment(config, name))


def _optimization(config: Config) -> Iterator[Exhibit]:
    for name in config.optimization.experiments:
        shown = _experiment(config, name)
        yield from _with_table("optimization", *shown)
        yield Exhibit(f"divergence-{name}", "divergence", *shown)
    for name, search in config.searches.items():
        shown = (name, search.tasks, search.models)
        yield from _with_table("search", *shown)
        yield Exhibit(f"search-gallery-{name}", "search-gallery", *shown)
    for name, rounds in config.rounds.items():
        models = rounds.models(name)
        yield from _with_table("rounds", name, rounds.tasks, models, table="epic-table")


def _predictions(config: Config) -> Iterator[Exhibit]:
    for name in config.predictions:
        yield from _with_table("prediction", name, (), ())


def _scenes(config: Config) -> Iterator[Exhibit]:
    tasks: dict[str, list[str]] = {}
    for name, task in config.tasks.items():
        if config.can_render(name):
            tasks.setdefault(task.environment, []).append(name)
    for environment in sorted(tasks):
        yield Exhibit(f"scenes-{environment}", "scenes", environment, tasks[environment])
    if "humanoid" in tasks:
        shown = ("", tasks["humanoid"])
        yield Exhibit("poses", "poses", *shown)
        yield Exhibit("boundaries", "boundaries", *shown)
        yield Exhibit("oracles", "oracles", *shown, is_table=True)
