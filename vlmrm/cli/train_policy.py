"""``vlmrm train-policy``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.checks.environments import check_environment
from vlmrm.cli.options import (
    ConfigFile,
    Device,
    Gpus,
    RewardSource,
    Scene,
    ScoringName,
    Seed,
    TaskName,
    Workers,
    training_run,
)
from vlmrm.cli.reward_options import Errors, Models, Rewards, States, Statistics, reward_files
from vlmrm.config import FunctionModel, check_run, load_config
from vlmrm.config.scoring import PLAIN
from vlmrm.machine.gpus import claim_gpus
from vlmrm.machine.memory import require_memory
from vlmrm.plan.work import replay_bytes
from vlmrm.rendering import check_scene


def train_policy(
    config: ConfigFile,
    task: TaskName,
    reward_source: RewardSource,
    output: Annotated[Path, typer.Option(file_okay=False, help="Folder of the results.")],
    scene: Scene = None,
    scoring: ScoringName = PLAIN,
    seed: Seed = 0,
    model: Models = None,
    statistics: Statistics = None,
    states: States = None,
    rewards: Rewards = None,
    errors: Errors = None,
    workers: Workers = None,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Train an agent, or continue an interrupted training, whose checkpoint cannot run code."""
    content = load_config(config)
    run = training_run(content, task, scene, reward_source, scoring, seed)
    check_run(content, run)
    settings = content.training_settings(run)
    environment, agent = settings.environment, settings.agent
    if settings.own is not None:
        check_environment(environment, settings.own, agent)
    else:
        key = f"training.{environment}.agent.buffer_size"
        require_memory(key, replay_bytes(environment, agent))
    files = reward_files(settings, model, statistics, states, rewards, errors)
    # With looked-up rewards, starting a GPU takes longer than it saves.
    claim_gpus(0 if files.grid else gpus)
    by_function = isinstance(settings.embedding, FunctionModel)
    if settings.video is not None or files.models or by_function:
        for view in settings.scenes:
            check_scene(settings.environment, view)
    from vlmrm.rewards import sources
    from vlmrm.training.run import train

    train(
        settings,
        sources.reward_source(settings, files, device, gpus),
        output,
        workers,
        device,
        sources.reward_checksums(settings, files),
    )
