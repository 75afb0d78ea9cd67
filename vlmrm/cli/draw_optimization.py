"""``vlmrm draw-optimization``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import Figures, Table
from vlmrm.config.training import RUN


def draw_optimization(
    checkpoints: Annotated[
        list[Path], typer.Argument(help="Tables of `measure-checkpoints` (CSV).")
    ],
    output: Figures,
    reference: Annotated[
        list[Path] | None, typer.Option(help="Evaluation of an agent trained on the oracle (CSV).")
    ] = None,
    divergence: Annotated[
        list[Path] | None,
        typer.Option(
            dir_okay=False,
            help="Path of a second figure, against the divergence of states; may be repeated.",
        ),
    ] = None,
    table: Table = None,
) -> None:
    """Draw reward and success of checkpoints against steps, and say what became of them."""
    from vlmrm.data.tables import read_tables, write_table
    from vlmrm.figures import optimization
    from vlmrm.figures.style import save_figure
    from vlmrm.figures.tables import read_runs
    from vlmrm.optimization.checkpoints import outcomes

    measured = read_tables(checkpoints, [*RUN, "steps", "proxy", "gold", "fooled"])
    reached = optimization.reached_by_references(read_runs(reference or []))
    if table is not None:
        write_table(table, outcomes(measured, reached))
    save_figure(optimization.draw_optimization(measured, reached), output)
    if divergence:
        save_figure(optimization.draw_divergence(measured, reached), divergence)
