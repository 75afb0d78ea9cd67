"""``vlmrm draw-learning-curves``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import Figures


def draw_learning_curves(
    curves: Annotated[list[Path], typer.Argument(help="Learning curves of runs (CSV).")],
    output: Figures,
    random: Annotated[
        list[Path] | None, typer.Option(help="Evaluation of a task's random policy (CSV).")
    ] = None,
) -> None:
    """Draw training reward and success against steps."""
    from vlmrm.figures import learning_curves
    from vlmrm.figures.style import save_figure
    from vlmrm.figures.tables import read_runs

    figure = learning_curves.draw_learning_curves(read_runs(curves), read_runs(random or []))
    save_figure(figure, output)
