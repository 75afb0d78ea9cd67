"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from vlmrm.config import Task
from vlmrm.errors import UserError, suggest

T = TypeVar("T")


ConfigFile = Annotated[
    Path, typer.Option("--config", envvar="VLMRM_CONFIG", help="Configuration file.")
]
Output = Annotated[Path, typer.Option(help="Where the result goes.")]
ModelFolder = Annotated[Path, typer.Option("--model", help="Model folder.")]
StatesFile = Annotated[Path, typer.Option("--states", help="States (HDF5).")]
Device = Annotated[
    str, typer.Option(help="Torch device, or auto: CUDA where there is one, else the CPU.")
]
Gpus = Annotated[int, typer.Option(min=0, help="How many GPUs to use, of those that there are.")]

Workers = Annotated[
    int | None,
    typer.Option(
        min=0, help="At most how many processes step and draw environments; default: one per core."
    ),
]


def pick(section: Mapping[Any, T], key: str, name: str) -> T:
    """The entry ``name`` of a section of the configuration.

    Raises:
        UserError: There is none of that name.
    """
    if name not in section:
        raise UserError(f"{key}: the configuration has no '{name}'{suggest(name, section)}")
    return section[name]


def same_environment(tasks: Mapping[str, Task], environment: str) -> dict[str, Task]:
    """The tasks of one environment."""
    return {name: task for name, task in tasks.items() if task.environment == environment}
