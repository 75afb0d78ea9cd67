"""``vlmrm measure-checkpoints``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import (
    ConfigFile,
    Output,
    RewardSource,
    Scene,
    ScoringName,
    SeedOfRun,
    StatesFile,
    TaskName,
    training_run,
)
from vlmrm.config import load_config
from vlmrm.config.scoring import PLAIN
from vlmrm.data.states import States
from vlmrm.data.tables import read_rewards, write_table
from vlmrm.errors import UserError


def measure_checkpoints(
    config: ConfigFile,
    task: TaskName,
    reward_source: RewardSource,
    states: StatesFile,
    rewards: Annotated[Path, typer.Option(help="The model's rewards for the states (Parquet).")],
    output: Output,
    scene: Scene = None,
    scoring: ScoringName = PLAIN,
    seed: SeedOfRun = 0,
) -> None:
    """Measure reward and success of every checkpoint of a training, on states that it visits."""
    content = load_config(config)
    run = training_run(content, task, scene, reward_source, scoring, seed)
    if content.tasks[task].oracle is None:
        raise UserError(f"tasks.{task}.oracle: missing; it says which states are a success")
    settings = content.optimization_settings(run)
    state_set = States.read(states)
    scored = read_rewards(rewards, len(state_set))
    from vlmrm.optimization import checkpoints

    write_table(output, checkpoints.measure_checkpoints(state_set, scored, settings))
