"""``vlmrm draw-boundaries``."""

from __future__ import annotations

from vlmrm.cli.options import Figures, Table


def draw_boundaries(
    output: Figures,
    table: Table = None,
) -> None:
    """Draw the humanoid states on which each oracle's verdict is borderline.

    The table holds how often the oracles are right about the pose library.
    """
    from vlmrm.data.tables import write_table
    from vlmrm.figures import poses
    from vlmrm.figures.style import save_figure
    from vlmrm.tasks.oracle_accuracy import accuracies

    if table is not None:
        write_table(table, accuracies())
    save_figure(poses.draw_boundaries(), output)
