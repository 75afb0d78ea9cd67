"""``vlmrm search-poses``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlmrm.cli.options import (
    ConfigFile,
    Device,
    Gpus,
    Output,
    ScoringName,
    TaskName,
    pick,
)
from vlmrm.config import TrainingRun, load_config
from vlmrm.config.scoring import PLAIN
from vlmrm.errors import UserError, suggest
from vlmrm.machine.gpus import claim_gpus
from vlmrm.rendering import check_scene

if TYPE_CHECKING:
    from vlmrm.config.settings import SearchSettings
    from vlmrm.optimization.search import Reward


def search_poses(
    name: Annotated[str, typer.Argument(help="Name of an entry of `searches`.")],
    config: ConfigFile,
    task: TaskName,
    reward_source: Annotated[
        str, typer.Option(help="Model or control of the entry: a name, oracle-score, or flipped-F.")
    ],
    output: Output,
    scoring: ScoringName = PLAIN,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Random seed, one of those of the entry.")
    ] = 0,
    model: Annotated[Path | None, typer.Option(help="Model folder, or packaged model.")] = None,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Climb a reward over poses of the humanoid, which the oracle judges."""
    content = load_config(config)
    search = pick(content.searches, "searches", name)
    run = TrainingRun(
        task=task, scene=search.scene, reward_source=reward_source, scoring=scoring, seed=seed
    )
    if run not in search.runs():
        hint = suggest(reward_source, [*search.models, *search.controls])
        raise UserError(
            f"searches.{name}: has no search of '{reward_source}' with {scoring} for task "
            f"'{task}' and seed {seed}{hint}"
        )
    settings = content.search_settings(name, run)
    by_model = reward_source in content.models
    if by_model and model is None:
        raise UserError("--model: missing; give the model's folder")
    if model is not None and not by_model:
        raise UserError(f"--model: '{reward_source}' is a control, not a model; leave it out")
    claim_gpus(gpus if by_model else 0)
    from vlmrm.optimization import search as searching

    if model is not None:
        check_scene("humanoid", run.scene)
        reward = _model_reward(settings, model, device, gpus)
    else:
        reward = searching.control_reward(reward_source, settings.oracle, seed)
    states = searching.search_poses(settings, reward)
    states.write(output, settings=settings.model_dump())


def _model_reward(settings: SearchSettings, model: Path, device: str, gpus: int) -> Reward:
    """The reward of states: their frames, scored by a model."""
    from vlmrm.rendering import make_renderer
    from vlmrm.rendering.parallel import draw
    from vlmrm.rewards.sources import model_reward

    reward = model_reward(settings, model, device, gpus)
    renderer = make_renderer("humanoid", settings.run.scene, settings.rendering)
    return lambda states: reward(draw(renderer, states))
