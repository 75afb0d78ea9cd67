"""``vlmrm draw-search``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Figures, SearchFiles, Table, pick
from vlmrm.config import load_config


def draw_search(
    name: Annotated[str, typer.Argument(help="Name of an entry of `searches`.")],
    states: SearchFiles,
    config: ConfigFile,
    output: Figures,
    table: Table = None,
    generations: Annotated[
        Path | None, typer.Option(help="Also write proxy and gold by generation here (CSV).")
    ] = None,
) -> None:
    """Draw reward and success of the best poses so far, against the number of poses tried."""
    content = load_config(config)
    pick(content.searches, "searches", name)
    settings = content.search_figure_settings(name)
    import pandas as pd

    from vlmrm.data.tables import write_table
    from vlmrm.figures import searches
    from vlmrm.figures.style import save_figure
    from vlmrm.optimization.search import measure_search, read_searches

    found = zip(settings.runs, read_searches(states, settings), strict=True)
    measured = pd.concat(
        measure_search(poses, run, settings.oracles[run.task], settings.survivors)
        for run, poses in found
    )
    if table is not None:
        write_table(table, searches.summary(measured))
    if generations is not None:
        write_table(generations, measured)
    save_figure(searches.draw_search(measured, settings), output)
