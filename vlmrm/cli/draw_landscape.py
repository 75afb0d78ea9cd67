"""``vlmrm draw-landscape``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Figures, RewardFiles, StatesFile, Table, pick
from vlmrm.config import load_config


def draw_landscape(
    name: Annotated[str, typer.Argument(help="Name of a landscape of the configuration.")],
    rewards: RewardFiles,
    config: ConfigFile,
    states: StatesFile,
    output: Figures,
    table: Table = None,
) -> None:
    """Draw reward against state, rescaled, with every scoring."""
    content = load_config(config)
    pick(content.landscapes, "landscapes", name)
    settings = content.landscape_settings(name)
    from vlmrm.data.states import States
    from vlmrm.data.tables import read_licenses, read_reward_files, write_table
    from vlmrm.figures import landscape
    from vlmrm.figures.style import save_figure

    state_set = States.read(states)
    scored = read_reward_files(rewards, len(state_set))
    numbers = landscape.landscape_table(state_set, scored, settings.oracles)
    if table is not None:
        write_table(table, numbers)
    figure = landscape.draw_landscape(numbers, state_set.environment)
    save_figure(figure, output, landscape=name, licenses=read_licenses(rewards))
