"""``vlmrm draw-success``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import Figures, Table


def draw_success(
    evaluations: Annotated[list[Path], typer.Argument(help="Evaluations of policies (CSV).")],
    output: Figures,
    curve: Annotated[
        list[Path] | None,
        typer.Option(help="Learning curve of one of these policies (CSV); repeat."),
    ] = None,
    table: Table = None,
) -> None:
    """Draw success rates, with intervals."""
    from vlmrm.data.tables import write_table
    from vlmrm.figures import success
    from vlmrm.figures.style import save_figure
    from vlmrm.figures.tables import read_runs

    judged, curves = read_runs(evaluations), read_runs(curve or [])
    if table is not None:
        write_table(table, success.success_table(judged, by_seed=True, curves=curves))
    save_figure(success.draw_success(judged, curves), output)
