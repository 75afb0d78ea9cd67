"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import typer

from vlmrm.config import (
    REFERENCES,
    SCENES,
    Config,
    PackagedModel,
    PretrainedModel,
    RandomModel,
    SimulatorModel,
    TrainingRun,
    load_config,
    say_the_same,
)
from vlmrm.errors import UserError, shorten, suggest

T = TypeVar("T")
ModelT = TypeVar("ModelT", PackagedModel, PretrainedModel, RandomModel, SimulatorModel)

ConfigFile = Annotated[Path, typer.Option("--config", help="Configuration file.")]
Output = Annotated[Path, typer.Option(dir_okay=False, help="Output file.")]
OutputFolder = Annotated[Path, typer.Option(file_okay=False, help="Output folder.")]
ModelName = Annotated[str, typer.Argument(help="Name of a model of the configuration.")]
ModelFolder = Annotated[Path, typer.Option("--model", help="Model folder, or packaged model.")]
StatesFile = Annotated[Path, typer.Option("--states", help="States (HDF5).")]
FramesFile = Annotated[Path, typer.Option("--frames", help="Frames (HDF5).")]
RewardFiles = Annotated[list[Path], typer.Argument(help="Rewards of the states (Parquet).")]
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
Goals = Annotated[
    list[str], typer.Option("--goal", help="Sentence that describes success; repeat to average.")
]
Baselines = Annotated[
    list[str] | None, typer.Option("--baseline", help="Sentence that describes any image.")
]
Alpha = Annotated[float, typer.Option(min=0, max=1, help="Regularization strength.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed of the training.")]
RewardSource = Annotated[
    str,
    typer.Option("--reward-source", help=f"Name of a model, or one of {', '.join(REFERENCES)}."),
]


def check_sentences(goal: list[str], baseline: list[str] | None, alpha: float) -> None:
    """Checks the options --goal, --baseline, and --alpha.

    Raises:
        UserError: A sentence is empty, or an alpha above 0 lacks a baseline that says something
            else than the goal.
    """
    for option, sentences in (("--goal", goal), ("--baseline", baseline or [])):
        if not all(sentence.strip() for sentence in sentences):
            raise UserError(f"{option}: empty; give a sentence")
    if alpha > 0 and not baseline:
        raise UserError("--baseline: missing; --alpha above 0 needs one")
    if alpha > 0 and say_the_same(goal, baseline or []):
        raise UserError("--baseline: says the same as --goal; --alpha above 0 needs another")


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


def training_run(
    config: Config, task: str, scene: str | None, source: str, alpha: float, seed: int
) -> TrainingRun:
    """The training run that the options of a command name.

    Raises:
        UserError: The configuration has no such task, model, or training.
    """
    environment = pick(config.tasks, "tasks", task).environment
    pick(config.training, "training", environment)
    pick(dict.fromkeys((*config.models, *REFERENCES)), "--reward-source", source)
    if scene is None:
        scene, *_ = SCENES[environment]
    return TrainingRun(task=task, scene=scene, reward_source=source, alpha=alpha, seed=seed)
