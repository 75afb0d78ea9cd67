"""``vlmrm draw-rounds``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, EpicTables, Figures, Table, pick
from vlmrm.config import load_config


def draw_rounds(
    name: Annotated[str, typer.Argument(help="Name of an entry of `rounds`.")],
    tables: EpicTables,
    config: ConfigFile,
    output: Figures,
    table: Table = None,
) -> None:
    """Draw how often the models of all rounds are fooled by the agents of each."""
    content = load_config(config)
    pick(content.rounds, "rounds", name)
    settings = content.round_settings(name)
    from vlmrm.data.tables import licenses_of, read_tables, write_table
    from vlmrm.figures import rounds
    from vlmrm.figures.style import save_figure

    numbers = rounds.by_round(read_tables(tables), settings.models, settings.scoring)
    if table is not None:
        write_table(table, numbers)
    figure = rounds.draw_rounds(numbers, settings.models)
    save_figure(figure, output, licenses=licenses_of(numbers))
