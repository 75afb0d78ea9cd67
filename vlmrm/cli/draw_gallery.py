"""``vlmrm draw-gallery``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Figures, RewardFiles, StatesFile, Table, pick
from vlmrm.config import load_config


def draw_gallery(
    name: Annotated[str, typer.Argument(help="Name of an EPIC measurement of the configuration.")],
    rewards: RewardFiles,
    config: ConfigFile,
    states: StatesFile,
    output: Figures,
    table: Table = None,
) -> None:
    """Draw the best states that the judge refuses, and the worst ones that it accepts."""
    content = load_config(config)
    pick(content.epic, "epic", name)
    settings = content.gallery_settings(name)
    from vlmrm.data.states import States
    from vlmrm.data.tables import read_licenses, read_reward_files, write_table
    from vlmrm.figures import gallery
    from vlmrm.figures.style import save_figure

    state_set = States.read(states)
    rows = gallery.gallery_table(state_set, read_reward_files(rewards, len(state_set)), settings)
    if table is not None:
        write_table(table, rows)
    figure = gallery.draw_gallery(rows, state_set, settings)
    save_figure(figure, output, licenses=read_licenses(rewards))
