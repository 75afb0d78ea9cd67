"""``vlmrm record-video``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import (
    ConfigFile,
    Device,
    Gpus,
    Output,
    RewardSource,
    Scene,
    ScoringName,
    SeedOfRun,
    TaskName,
    training_run,
)
from vlmrm.cli.reward_options import Errors, Models, Rewards, States, Statistics, reward_files
from vlmrm.config import check_run, load_config
from vlmrm.config.scoring import PLAIN
from vlmrm.data.files import require_rows
from vlmrm.data.frames import FrameReader
from vlmrm.data.states import States as StateSet
from vlmrm.data.tables import require_columns
from vlmrm.errors import UserError
from vlmrm.machine.gpus import claim_gpus
from vlmrm.rendering import check_scene


def record_video(
    config: ConfigFile,
    task: TaskName,
    reward_source: RewardSource,
    trajectories: Annotated[
        Path, typer.Option(help="Trajectories by `vlmrm evaluate-policy` (HDF5).")
    ],
    output: Output,
    frames: Annotated[
        Path | None, typer.Option(help="Their frames (HDF5), for one of `environments`.")
    ] = None,
    scene: Scene = None,
    scoring: ScoringName = PLAIN,
    seed: SeedOfRun = 0,
    model: Models = None,
    statistics: Statistics = None,
    states: States = None,
    rewards: Rewards = None,
    errors: Errors = None,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Record a video of an agent (MP4): below each frame its reward and the oracle's verdict."""
    content = load_config(config)
    run = training_run(content, task, scene, reward_source, scoring, seed)
    check_run(content, run)
    settings = content.recording_settings(run)
    if (frames is None) != (settings.own is None):
        what = "missing; give those of the trajectories" if frames is None else "remove it"
        raise UserError(f"--frames: {what}, for the environment is {settings.environment}")
    files = reward_files(settings, model, statistics, states, rewards, errors)
    kept = StateSet.read(trajectories)
    kept.check_environment(trajectories, task, settings.environment)
    require_columns(kept.columns, ("trajectory", "origin", "environment_reward"), trajectories)
    if settings.own is None:
        for view in {settings.video.scene, *settings.scenes}:
            check_scene(settings.environment, view)
    claim_gpus(0 if files.grid else gpus)
    from vlmrm.rewards import sources
    from vlmrm.training.videos import record_trajectories

    reward = sources.reward_source(settings, files, device, gpus)
    if frames is None:
        record_trajectories(output, kept, settings, reward)
        return
    with FrameReader(frames) as reader:
        require_rows(frames, len(reader), len(kept), "frames")
        record_trajectories(output, kept, settings, reward, reader)
