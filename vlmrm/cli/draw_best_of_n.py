"""``vlmrm draw-best-of-n``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Figures, RewardFiles, StatesFile, Table, pick
from vlmrm.config import load_config


def draw_best_of_n(
    name: Annotated[str, typer.Argument(help="Name of an EPIC measurement of the configuration.")],
    rewards: RewardFiles,
    config: ConfigFile,
    states: StatesFile,
    output: Figures,
    table: Table = None,
) -> None:
    """Draw how often the state with the highest reward among n fulfills the task."""
    content = load_config(config)
    pick(content.epic, "epic", name)
    settings = content.best_of_n_settings(name)
    from vlmrm.data.states import States
    from vlmrm.data.tables import read_licenses, read_reward_files, write_table
    from vlmrm.figures import best_of_n
    from vlmrm.figures.style import save_figure

    state_set = States.read(states)
    scored = read_reward_files(rewards, len(state_set))
    numbers = best_of_n.best_of_n_table(state_set, scored, settings)
    if table is not None:
        write_table(table, numbers)
    figure = best_of_n.draw_best_of_n(numbers, settings.controls)
    save_figure(figure, output, licenses=read_licenses(rewards))
