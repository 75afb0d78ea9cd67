"""``vlmrm join-states``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Output, pick
from vlmrm.config import UnionStates, load_config
from vlmrm.data.states import States
from vlmrm.errors import UserError


def join_states(
    name: Annotated[str, typer.Argument(help="Name of a state set of the configuration.")],
    states: Annotated[list[Path], typer.Argument(help="States of its parts, in order (HDF5).")],
    config: ConfigFile,
    output: Output,
) -> None:
    """Join state sets into one."""
    settings = pick(load_config(config).state_sets, "state_sets", name)
    if not isinstance(settings, UnionStates):
        raise UserError(f"state_sets.{name}.sampler: is '{settings.sampler}', not 'union'")
    if len(states) != len(settings.sets):
        raise UserError(f"state_sets.{name}.sets: {len(settings.sets)}, but {len(states)} files")
    parts = zip(settings.sets, map(States.read, states), strict=True)
    States.join(dict(parts)).write(output, name=name, settings=settings.model_dump())
