"""``vlmrm draw-rewards-by-label``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Figures, RewardFiles, StatesFile, pick
from vlmrm.config import load_config


def draw_rewards_by_label(
    name: Annotated[str, typer.Argument(help="Name of an EPIC measurement of the configuration.")],
    rewards: RewardFiles,
    config: ConfigFile,
    states: StatesFile,
    output: Figures,
) -> None:
    """Draw the rewards of states that fulfill a task and of states that do not."""
    content = load_config(config)
    pick(content.epic, "epic", name)
    settings = content.histogram_settings(name)
    from vlmrm.data.states import States
    from vlmrm.data.tables import read_licenses, read_reward_files
    from vlmrm.figures.histogram import draw_reward_histogram
    from vlmrm.figures.style import save_figure

    state_set = States.read(states)
    scored = read_reward_files(rewards, len(state_set))
    figure = draw_reward_histogram(state_set, scored, settings.task, settings.oracle)
    save_figure(figure, output, task=settings.task, licenses=read_licenses(rewards))
