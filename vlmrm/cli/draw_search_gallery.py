"""``vlmrm draw-search-gallery``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Figures, SearchFiles, pick
from vlmrm.config import load_config


def draw_search_gallery(
    name: Annotated[str, typer.Argument(help="Name of an entry of `searches`.")],
    states: SearchFiles,
    config: ConfigFile,
    output: Figures,
) -> None:
    """Draw the pose with the highest reward of every search, and what it lacks."""
    content = load_config(config)
    pick(content.searches, "searches", name)
    settings = content.search_figure_settings(name)
    from vlmrm.figures.gallery import draw_search_gallery as draw
    from vlmrm.figures.style import save_figure
    from vlmrm.optimization.search import read_searches

    save_figure(draw(read_searches(states, settings), settings), output)
