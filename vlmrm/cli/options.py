"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from vlmrm.config import REFERENCES, SCENES, Config, TrainingRun
from vlmrm.errors import UserError, suggest

T = TypeVar("T")

ConfigFile = Annotated[Path, typer.Option("--config", help="Configuration file.")]
Output = Annotated[Path, typer.Option(help="Path of the result.")]
ModelFolder = Annotated[Path, typer.Option("--model", help="Model folder.")]
StatesFile = Annotated[Path, typer.Option("--states", help="States (HDF5).")]
FramesFile = Annotated[Path, typer.Option("--frames", help="Frames (HDF5).")]
RewardFiles = Annotated[list[Path], typer.Argument(help="Rewards of the states (Parquet).")]
EpicTables = Annotated[list[Path], typer.Argument(help="Tables of `measure-epic` (CSV).")]
Figures = Annotated[
    list[Path],
    typer.Option("--output", help="Path of the figure, an SVG or a PNG; may be repeated."),
]
Table = Annotated[Path | None, typer.Option(help="Write the numbers of the figure here (CSV).")]
Device = Annotated[
    str, typer.Option(help="Torch device, or auto: CUDA if there is a GPU, else the CPU.")
]
Gpus = Annotated[int, typer.Option(min=0, help="Number of GPUs to use, at most all there are.")]
Workers = Annotated[
    int | None, typer.Option(min=0, help="Largest number of processes; default: one per core.")
]
TaskName = Annotated[str, typer.Option("--task", help="Name of a task of the configuration.")]
Scene = Annotated[
    str | None, typer.Option(help="Scene of the frames; default: the environment's first.")
]
Alpha = Annotated[float, typer.Option(min=0, max=1, help="Regularization strength.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the training.")]
RewardSource = Annotated[
    str, typer.Option("--reward-source", help="Name of a model, or oracle, or ground-truth.")
]


def pick(section: Mapping[Any, T], key: str, name: str) -> T:
    """The entry ``name`` of a section of the configuration.

    Raises:
        UserError: There is none of that name.
    """
    if name not in section:
        raise UserError(f"{key}: the configuration has no '{name}'{suggest(name, section)}")
    return section[name]


def training_run(
    config: Config, task: str, scene: str | None, source: str, alpha: float, seed: int
) -> TrainingRun:
    """A run by its parts.

    Raises:
        UserError: The configuration has no such task, model, or training.
    """
    environment = pick(config.tasks, "tasks", task).environment
    pick(config.training, "training", environment)
    pick(dict.fromkeys((*config.models, *REFERENCES)), "--reward-source", source)
    if scene is None:
        scene, *_ = SCENES[environment]
    return TrainingRun(task=task, scene=scene, reward_source=source, alpha=alpha, seed=seed)
