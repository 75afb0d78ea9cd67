"""``vlmrm draw-diagnosis``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import Figures, Table


def draw_diagnosis(
    diagnoses: Annotated[list[Path], typer.Argument(help="Tables of `measure-diagnosis` (CSV).")],
    output: Figures,
    table: Table = None,
) -> None:
    """Draw which poses sentences mean, and say what becomes of agents and what to try next."""
    from vlmrm.data.tables import read_tables, write_table
    from vlmrm.diagnosis.tasks import with_verdicts
    from vlmrm.figures import diagnosis
    from vlmrm.figures.style import save_figure

    needed = ("task", "scene", "model", "scoring", "goal", "spread")
    rows = with_verdicts(read_tables(diagnoses, needed))
    if table is not None:
        write_table(table, rows)
    save_figure(diagnosis.draw_diagnosis(rows), output)
