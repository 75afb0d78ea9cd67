"""``vlmrm make-page``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.config import load_config
from vlmrm.page.contents import PAGE


def make_page(
    results: Annotated[Path, typer.Argument(help="Folder of a run, such as results/demo.")],
    config: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Configuration file; by default that of the folder."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help=f"The page, by default {PAGE} in this folder. Anywhere else, it is a single file.",
        ),
    ] = None,
) -> None:
    """Make the page of a run: a summary, videos, figures, and tables, whatever is finished."""
    settings = load_config(config or results / "config.yaml")
    from vlmrm.page.render import write_page

    write_page(results, settings, output or results / PAGE)
