"""``vlmrm draw-prediction``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Figures, Table, pick
from vlmrm.config import load_config
from vlmrm.errors import UserError


def draw_prediction(
    name: Annotated[str, typer.Argument(help="Name of an entry of `predictions`.")],
    config: ConfigFile,
    evaluation: Annotated[list[Path], typer.Option(help="Evaluation of a policy (CSV); repeat.")],
    output: Figures,
    epic: Annotated[
        list[Path] | None, typer.Option(help="Table of `measure-epic` (CSV); repeat.")
    ] = None,
    best_of_n: Annotated[
        list[Path] | None, typer.Option(help="Table of `draw-best-of-n` for these; repeat.")
    ] = None,
    diagnosis: Annotated[
        list[Path] | None, typer.Option(help="Table of `draw-diagnosis` (CSV); repeat.")
    ] = None,
    table: Table = None,
    pairs: Annotated[Path | None, typer.Option(help="Also write the pairs here (CSV).")] = None,
) -> None:
    """Draw measurements of rewards against the success of agents that were trained on them."""
    content = load_config(config)
    pick(content.predictions, "predictions", name)
    settings = content.predictions[name]
    if bool(epic) != bool(best_of_n):
        raise UserError("--epic, --best-of-n: give both, of the same measurements, or neither")
    if not epic and not diagnosis:
        raise UserError("--epic, --diagnosis: missing; give measurements of the rewards")
    from vlmrm.data.tables import read_tables, write_table
    from vlmrm.figures.prediction import draw_prediction as draw
    from vlmrm.figures.style import save_figure
    from vlmrm.optimization import prediction

    measured = []
    if epic and best_of_n:
        measured.append(prediction.epic_predictors(read_tables(epic), read_tables(best_of_n)))
    if diagnosis:
        measured.append(prediction.diagnosis_predictors(read_tables(diagnosis)))
    found = prediction.pairs(read_tables(evaluation), *measured)
    rows = prediction.correlations(found, bootstrap=settings.bootstrap, seed=settings.seed)
    if table is not None:
        write_table(table, rows)
    if pairs is not None:
        write_table(pairs, found)
    save_figure(draw(found, rows), output)
