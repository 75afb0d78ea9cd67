"""``vlmrm draw-epic-overview``."""

from __future__ import annotations

from vlmrm.cli.options import EpicTables, Figures, ScoringName
from vlmrm.config.scoring import PLAIN


def draw_epic_overview(
    tables: EpicTables,
    output: Figures,
    scoring: ScoringName = PLAIN,
) -> None:
    """Draw class-balanced EPIC distance and AUROC of every task and model."""
    from vlmrm.data.tables import licenses_of, read_tables
    from vlmrm.figures import epic_overview
    from vlmrm.figures.style import save_figure

    numbers = read_tables(tables)
    figure = epic_overview.draw_epic_overview(numbers, scoring)
    save_figure(figure, output, licenses=licenses_of(numbers))
