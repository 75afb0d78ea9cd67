"""``vlmrm draw-epic``."""

from __future__ import annotations

from vlmrm.cli.options import EpicTables, Figures, Table


def draw_epic(
    tables: EpicTables,
    output: Figures,
    table: Table = None,
) -> None:
    """Draw EPIC distance and area under the ROC curve against model size."""
    from vlmrm.data.tables import licenses_of, read_tables, write_table
    from vlmrm.figures.epic import draw_epic_by_size
    from vlmrm.figures.style import save_figure

    numbers = read_tables(tables)
    if table is not None:
        write_table(table, numbers)
    save_figure(draw_epic_by_size(numbers), output, licenses=licenses_of(numbers))
