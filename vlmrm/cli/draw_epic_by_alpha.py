"""``vlmrm draw-epic-by-alpha``."""

from __future__ import annotations

from vlmrm.cli.options import EpicTables, Figures


def draw_epic_by_alpha(
    tables: EpicTables,
    output: Figures,
) -> None:
    """Draw EPIC distance and area under the ROC curve against alpha."""
    from vlmrm.data.tables import licenses_of, read_tables
    from vlmrm.figures import epic
    from vlmrm.figures.style import save_figure

    numbers = read_tables(tables)
    save_figure(epic.draw_epic_by_alpha(numbers), output, licenses=licenses_of(numbers))
