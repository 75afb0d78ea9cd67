"""``vlmrm train-policy``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
from vlmrm.config import REFERENCES, FunctionModel, check_run, load_config
from vlmrm.config.scoring import PLAIN
from vlmrm.config.settings import TrainingSettings
from vlmrm.envs.probe import check_environment
from vlmrm.errors import UserError
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
    model: Annotated[
        list[Path] | None,
        typer.Option(help="Model folder, to score frames; repeat for the members of an ensemble."),
    ] = None,
    statistics: Annotated[
        Path | None, typer.Option(help="Statistics of an ensemble's members (CSV).")
    ] = None,
    states: Annotated[Path | None, typer.Option(help="Grid of states, to look up rewards.")] = None,
    rewards: Annotated[Path | None, typer.Option(help="Rewards of the grid.")] = None,
    errors: Annotated[Path | None, typer.Option(help="Errors of the look-up (CSV).")] = None,
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
    require_memory(f"training.{environment}.agent.buffer_size", replay_bytes(environment, agent))
    by_function = isinstance(settings.embedding, FunctionModel)
    grid = None
    if settings.max_lookup_error is None or model:
        if reward_source not in REFERENCES and not by_function:
            _check_models(settings, model or [], statistics)
    elif states is None or rewards is None or errors is None:
        raise UserError("--model: missing; give it, or --states, --rewards, and --errors of a grid")
    else:
        grid = (states, rewards, errors)
    # With looked-up rewards, starting a GPU takes longer than it saves.
    claim_gpus(0 if grid else gpus)
    if settings.video is not None or model or by_function:
        for view in settings.scenes:
            check_scene(settings.environment, view)
    from vlmrm.rewards import sources
    from vlmrm.training.run import train

    train(
        settings,
        sources.reward_source(settings, model or [], grid, device, gpus, statistics),
        output,
        workers,
        device,
    )


def _check_models(settings: TrainingSettings, models: list[Path], statistics: Path | None) -> None:
    """Checks that the folders of the models that score frames are given.

    Raises:
        UserError: One is missing, or one too many.
    """
    if settings.ensemble is None:
        if len(models) != 1:
            given = "given more than once" if models else "missing"
            raise UserError(f"--model: {given}; give the model's folder")
        return
    names = settings.ensemble.models
    if len(models) != len(names):
        raise UserError(
            f"--model: {len(models)} given; give the folder of each member of "
            f"'{settings.ensemble.model}', in this order: {', '.join(names)}"
        )
    if statistics is None:
        raise UserError("--statistics: missing; give the table of `vlmrm measure-members`")
