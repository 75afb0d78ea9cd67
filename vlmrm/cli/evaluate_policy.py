"""``vlmrm evaluate-policy``."""

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
    TaskName,
    Workers,
    training_run,
)
from vlmrm.config import load_config
from vlmrm.config.scoring import PLAIN
from vlmrm.data.tables import write_table
from vlmrm.errors import UserError


def evaluate_policy(
    config: ConfigFile,
    task: TaskName,
    reward_source: RewardSource,
    policy: Annotated[Path, typer.Option(help="Trained policy (ZIP).")],
    output: Output,
    trajectories: Annotated[
        Path | None, typer.Option(help="Also write the trajectories of the video here (HDF5).")
    ] = None,
    frames: Annotated[
        Path | None, typer.Option(help="And their frames (HDF5), for one of `environments`.")
    ] = None,
    scene: Scene = None,
    scoring: ScoringName = PLAIN,
    seed: SeedOfRun = 0,
    workers: Workers = None,
) -> None:
    """Evaluate a trained policy with the task's oracle.

    Only the weights are read, for the agent of the configuration: the file cannot run code.
    """
    content = load_config(config)
    run = training_run(content, task, scene, reward_source, scoring, seed)
    settings = content.evaluation_settings(run)
    if frames is not None and trajectories is None:
        raise UserError("--trajectories: missing; give it, for the states of --frames")
    if frames is not None and settings.own is None:
        raise UserError(f"--frames: remove it; states of {settings.environment} are enough")
    if trajectories is not None and frames is None and settings.own is not None:
        raise UserError("--frames: missing; this environment draws frames only while it acts")
    from vlmrm.training.evaluation import evaluate, with_run
    from vlmrm.training.live import evaluate_live
    from vlmrm.training.videos import kept_trajectories, typical_trajectories

    if frames is not None:
        table, kept = evaluate_live(policy, settings, frames, workers)
    else:
        table, played = evaluate(policy, settings, workers)
        rows = typical_trajectories(table, settings.video_trajectories)
        episodes = {int(row): played.first(row) for row in rows}
        kept = kept_trajectories(episodes, table, settings.environment)
    write_table(output, with_run(table, run))
    if trajectories is not None:
        kept.write(trajectories, run=run.model_dump())
