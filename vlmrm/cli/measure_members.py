"""``vlmrm measure-members``."""

from __future__ import annotations

from vlmrm.cli.options import (
    ConfigFile,
    ModelName,
    Output,
    RewardFiles,
    Scene,
    StatesFile,
    TaskName,
    ensemble_settings,
)
from vlmrm.data.states import States
from vlmrm.data.tables import read_reward_files, write_table


def measure_members(
    name: ModelName,
    rewards: RewardFiles,
    config: ConfigFile,
    task: TaskName,
    states: StatesFile,
    output: Output,
    scene: Scene = None,
) -> None:
    """Measure mean and spread of the rewards of an ensemble's members on its reference states."""
    settings = ensemble_settings(config, name, task, scene)
    from vlmrm.rewards import members

    table = read_reward_files(rewards, len(States.read(states)))
    write_table(output, members.measure_members(table, settings))
