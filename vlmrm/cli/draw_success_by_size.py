"""``vlmrm draw-success-by-size``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import Figures, Table


def draw_success_by_size(
    evaluations: Annotated[list[Path], typer.Argument(help="Evaluations of policies (CSV).")],
    model: Annotated[
        list[Path],
        typer.Option(help="Folder with the name of a reward model, or packaged model; repeat."),
    ],
    output: Figures,
    epic: Annotated[
        list[Path] | None, typer.Option(help="Table of `measure-epic` (CSV); repeat.")
    ] = None,
    table: Table = None,
) -> None:
    """Draw success rates against the size of the reward model, beside EPIC distances."""
    import pandas as pd

    from vlmrm.data.tables import read_tables, write_table
    from vlmrm.figures import success_by_size
    from vlmrm.figures.style import save_figure
    from vlmrm.figures.tables import read_runs
    from vlmrm.models.folder import find_model_folder, read_model_provenance

    judged = read_runs(evaluations)
    folders = map(find_model_folder, model)
    origins = {folder.name: read_model_provenance(folder) for folder in folders}
    sizes = pd.DataFrame(
        {
            "model": name,
            "source": origin.get("source", "unknown"),
            "parameters": origin.get("parameters", {}).get("image"),
        }
        for name, origin in origins.items()
    )
    distances = read_tables(epic) if epic else None
    if table is not None:
        numbers = success_by_size.success_by_size_table(judged, sizes, distances)
        write_table(table, numbers)
    save_figure(success_by_size.draw_success_by_size(judged, sizes, distances), output)
