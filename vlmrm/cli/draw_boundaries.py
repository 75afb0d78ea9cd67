"""``vlmrm draw-boundaries``."""

from __future__ import annotations

from vlmrm.cli.options import Figures, Oracles, Table


def draw_boundaries(output: Figures, oracles: Oracles, table: Table = None) -> None:
    """Draw the humanoid states on which each oracle's verdict is borderline.

    The table holds how often the oracles are right about the pose library.
    """
    from vlmrm.data.tables import write_table
    from vlmrm.figures import poses
    from vlmrm.figures.style import save_figure
    from vlmrm.tasks.oracle_accuracy import accuracies

    if table is not None:
        write_table(table, accuracies(oracles))
    save_figure(poses.draw_boundaries(oracles), output)
