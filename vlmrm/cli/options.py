"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import typer

from vlmrm.config import (
    ORACLE_NAMES,
    REFERENCES,
    Config,
    EnsembleModel,
    FunctionModel,
    PackagedModel,
    PretrainedModel,
    RandomModel,
    SimulatorModel,
    TrainingRun,
    default_scene,
    ensembles,
    load_config,
)
from vlmrm.config.scoring import alpha_of, canonical_scoring, temperature_of
from vlmrm.config.sentences import sentence_problems
from vlmrm.config.settings import EnsembleSettings
from vlmrm.errors import UserError, refuse_unknown, shorten, suggest
from vlmrm.models.folder import CONFIG_FILE, PROVENANCE_FILE


def _replaceable(folder: Path) -> Path:
    """Refuses an output folder that holds anything but a model, before the model is made."""
    model = (folder / PROVENANCE_FILE, folder / CONFIG_FILE)
    if folder.is_dir() and any(folder.iterdir()) and not any(file.exists() for file in model):
        raise UserError(
            f"--output: {folder}: holds something other than a model; give another folder"
        )
    return folder


T = TypeVar("T")
ModelT = TypeVar(
    "ModelT",
    EnsembleModel,
    FunctionModel,
    PackagedModel,
    PretrainedModel,
    RandomModel,
    SimulatorModel,
)

ConfigFile = Annotated[Path, typer.Option("--config", help="Configuration file.")]
Output = Annotated[Path, typer.Option(dir_okay=False, help="Output file.")]
OutputFolder = Annotated[
    Path,
    typer.Option(file_okay=False, callback=_replaceable, help="Folder of the model; replaced."),
]
ModelName = Annotated[str, typer.Argument(help="Name of a model of the configuration.")]
ModelFolder = Annotated[Path, typer.Option("--model", help="Model folder, or packaged model.")]
StatesFile = Annotated[Path, typer.Option("--states", help="States (HDF5).")]
FramesFile = Annotated[Path, typer.Option("--frames", help="Frames (HDF5).")]
RewardFiles = Annotated[list[Path], typer.Argument(help="Rewards of the states (Parquet).")]
SearchFiles = Annotated[
    list[Path], typer.Argument(help="Poses of all searches of the entry (HDF5).")
]
EpicTables = Annotated[list[Path], typer.Argument(help="Tables of `measure-epic` (CSV).")]
Figures = Annotated[
    list[Path],
    typer.Option(
        "--output", dir_okay=False, help="Path of the figure, an SVG or a PNG; may be repeated."
    ),
]
Table = Annotated[
    Path | None, typer.Option(dir_okay=False, help="Also write the figure's numbers here (CSV).")
]
Device = Annotated[
    str, typer.Option(help="Torch device, or auto: CUDA if there is a GPU, else the CPU.")
]
Gpus = Annotated[int, typer.Option(min=0, max=1024, help="Maximum number of GPUs.")]
Workers = Annotated[
    int | None,
    typer.Option(min=0, max=1024, help="Maximum number of processes; default: one per core."),
]
TaskName = Annotated[str, typer.Option("--task", help="Name of a task of the configuration.")]
Scene = Annotated[
    str | None, typer.Option(help="Scene of the frames; default: the environment's first.")
]


def _oracles(names: list[str]) -> list[str]:
    for name in names:
        refuse_unknown("--oracle", name, ORACLE_NAMES["humanoid"])
    return names


Oracles = Annotated[
    list[str],
    typer.Option(
        "--oracle",
        default_factory=lambda: [*ORACLE_NAMES["humanoid"]],
        show_default="all",
        callback=_oracles,
        help="Oracle of the humanoid, such as kneeling; may be repeated.",
    ),
]


def _sentences(option: typer.CallbackParam, sentences: list[str] | None) -> list[str] | None:
    if not all(sentence.strip() for sentence in sentences or []):
        raise UserError(f"--{option.name}: empty; give a sentence")
    return sentences


Goals = Annotated[
    list[str],
    typer.Option(
        "--goal", callback=_sentences, help="Sentence that describes success; repeat to average."
    ),
]
EachGoal = Annotated[
    list[str],
    typer.Option(
        "--goal",
        callback=_sentences,
        help="Sentence that describes success; may be repeated: measures each sentence, and their "
        "average.",
    ),
]
Baselines = Annotated[
    list[str] | None,
    typer.Option("--baseline", callback=_sentences, help="Sentence that describes any image."),
]
Contrasts = Annotated[
    list[str] | None,
    typer.Option(
        "--contrast", callback=_sentences, help="Other sentence, which the goal competes with."
    ),
]


def scoring_name(name: str) -> str:
    """The name of a scoring in its shortest form.

    Raises:
        UserError: It names none.
    """
    try:
        return canonical_scoring(name)
    except ValueError as error:
        raise UserError(f"--scoring: {error}") from error


ScoringName = Annotated[
    str,
    typer.Option(
        "--scoring",
        callback=scoring_name,
        help="alpha-A: goal-baseline regularization of strength A, 0 (none) to 1. contrast-T: "
        "softmax over goal and contrasts at temperature T.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed of the training.")]
SeedOfRun = Annotated[
    int,
    typer.Option("--seed", min=0, max=2**32 - 1, help="Seed of the training that made the policy."),
]
RewardSource = Annotated[
    str,
    typer.Option("--reward-source", help=f"Name of a model, or one of {', '.join(REFERENCES)}."),
]


def pick(section: Mapping[Any, T], key: str, name: str) -> T:
    """The entry ``name`` of a section of the configuration.

    Raises:
        UserError: The section has no such entry.
    """
    if name not in section:
        problem = f"{key}: the configuration has no '{name}'{suggest(name, section)}"
        raise UserError(shorten(problem))
    return section[name]


def model_settings(config: Path, name: str, kind: type[ModelT]) -> ModelT:
    """A model of a configuration file.

    Raises:
        UserError: The configuration is wrong, has no such model, or gives it another source.
    """
    settings = pick(load_config(config).models, "models", name)
    if not isinstance(settings, kind):
        (source,) = get_args(kind.model_fields["source"].annotation)
        raise UserError(
            f"models.{name}.source: is '{settings.source}', but this command is for '{source}'"
        )
    return settings


def ensemble_settings(config: Path, name: str, task: str, scene: str | None) -> EnsembleSettings:
    """How an ensemble of a configuration file scores states for a task in a scene.

    Raises:
        UserError: The configuration is wrong, has no such task or ensemble, or the ensemble cannot
            score the task in this scene.
    """
    model_settings(config, name, EnsembleModel)
    content = load_config(config)
    environment = pick(content.tasks, "tasks", task).environment
    scene = scene or default_scene(environment)
    for problem in ensembles.use_problems(content, "--task", [name], task, [scene], "--scene"):
        raise UserError(problem)
    return ensembles.ensemble_settings(content, name, task, scene)


def training_run(
    config: Config, task: str, scene: str | None, source: str, scoring: str, seed: int
) -> TrainingRun:
    """The training run that the options of a command name.

    Raises:
        UserError: The configuration has no such task, model, or training.
    """
    environment = pick(config.tasks, "tasks", task).environment
    pick(config.training, "training", environment)
    pick(dict.fromkeys((*config.models, *REFERENCES)), "--reward-source", source)
    scene = scene or default_scene(environment)
    return TrainingRun(task=task, scene=scene, reward_source=source, scoring=scoring, seed=seed)


def check_sentences(
    goal: list[str],
    scorings: Sequence[str],
    baseline: list[str] | None,
    contrast: list[str] | None,
) -> None:
    """Checks that the sentences of scorings are given, differ, and are used.

    Raises:
        UserError: A sentence is missing, says the same as the goal, or none of the scorings uses
            it.
    """
    for scoring in scorings:
        for kind, problem in sentence_problems(scoring, goal, baseline or [], contrast or []):
            raise UserError(shorten(f"--{kind}: {problem}"))
    named = ", ".join(scorings)
    if baseline and not any(map(alpha_of, scorings)):
        raise UserError(f"--baseline: has no effect with {named}; add --scoring alpha-0.5")
    if contrast and not any(map(temperature_of, scorings)):
        raise UserError(f"--contrast: has no effect with {named}; add --scoring contrast-0.05")


def refuse_together(option: str, others: Mapping[str, object]) -> None:
    """Checks that no option is given that has no effect beside another one.

    Args:
        option: The option that is given.
        others: Values of the options that it excludes; None, or nothing, where they are not given.

    Raises:
        UserError: One of them is given.
    """
    for name, value in others.items():
        if value:
            raise UserError(f"{name}: cannot be combined with {option}; leave one of them out")
