"""``vlmrm check-lookup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import Output
from vlmrm.data.states import States
from vlmrm.data.tables import read_rewards, write_table
from vlmrm.errors import UserError


def check_lookup(
    states: Annotated[Path, typer.Option(help="Grid of states (HDF5).")],
    rewards: Annotated[Path, typer.Option(help="Rewards of the grid (Parquet).")],
    check_states: Annotated[Path, typer.Option(help="States between the grid points (HDF5).")],
    check_rewards: Annotated[Path, typer.Option(help="Rewards of these states (Parquet).")],
    output: Output,
) -> None:
    """Measure the error of looked-up rewards, compared with rewards from frames."""
    from vlmrm.rewards.lookup import measure_interpolation

    grid, between = States.read(states), States.read(check_states)
    if between.environment != grid.environment:
        raise UserError(
            f"{check_states}: contains {between.environment} states, but those of {states} are "
            f"{grid.environment} states"
        )
    table = measure_interpolation(
        grid,
        read_rewards(rewards, len(grid)),
        between,
        read_rewards(check_rewards, len(between)),
    )
    write_table(output, table)
