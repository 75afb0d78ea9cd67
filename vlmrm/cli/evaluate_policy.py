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
    Seed,
    TaskName,
    Workers,
    training_run,
)
from vlmrm.config import load_config
from vlmrm.config.scoring import PLAIN
from vlmrm.data.tables import write_table
from vlmrm.rendering import check_scene


def evaluate_policy(
    config: ConfigFile,
    task: TaskName,
    reward_source: RewardSource,
    policy: Annotated[Path, typer.Option(help="Trained policy (ZIP).")],
    output: Output,
    video: Annotated[Path | None, typer.Option(help="Write a video here (MP4).")] = None,
    scene: Scene = None,
    scoring: ScoringName = PLAIN,
    seed: Seed = 0,
    workers: Workers = None,
) -> None:
    """Evaluate a trained policy with the task's oracle.

    Only the weights are read, for the agent of the configuration: the file cannot run code.
    """
    content = load_config(config)
    run = training_run(content, task, scene, reward_source, scoring, seed)
    settings = content.evaluation_settings(run)
    if video is not None:
        check_scene(settings.environment, run.scene)
    from vlmrm.rendering.video import write_trajectories
    from vlmrm.training.evaluation import evaluate, with_run
    from vlmrm.training.live import evaluate_and_film

    if video is not None and settings.own is not None:
        table = evaluate_and_film(policy, settings, video, workers)
        write_table(output, with_run(table, run))
        return
    table, trajectories = evaluate(policy, settings, workers)
    write_table(output, with_run(table, run))
    if video is not None and settings.video is not None:
        write_trajectories(video, trajectories[: settings.video_trajectories], settings.video)
