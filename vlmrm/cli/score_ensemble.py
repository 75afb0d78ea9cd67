"""``vlmrm score-ensemble``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
from vlmrm.data.files import read_provenance
from vlmrm.data.states import States
from vlmrm.data.tables import read_licenses, read_reward_files, write_table


def score_ensemble(
    name: ModelName,
    rewards: RewardFiles,
    config: ConfigFile,
    task: TaskName,
    states: StatesFile,
    statistics: Annotated[Path, typer.Option(help="Table of `measure-members` (CSV).")],
    output: Output,
    scene: Scene = None,
) -> None:
    """Score states by an ensemble, from the rewards of its members for these states."""
    settings = ensemble_settings(config, name, task, scene)
    from vlmrm.rewards import members

    scored = read_reward_files(rewards, len(States.read(states)))
    known = members.read_statistics(statistics, settings)
    table = members.score_ensemble(scored, known, settings)
    precisions = {read_provenance(path).get("precision") for path in rewards}
    write_table(
        output,
        table,
        settings=settings.model_dump(),
        model=name,
        license=", ".join(sorted(set(read_licenses(rewards).values()))) or None,
        precision=precisions.pop() if len(precisions) == 1 else None,
    )
