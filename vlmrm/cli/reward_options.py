"""Options of the commands that compute the rewards of a training run, and their check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.config import REFERENCES, FunctionModel
from vlmrm.config.settings import RunRewardSettings
from vlmrm.errors import UserError
from vlmrm.rewards.files import RewardFiles

Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        help="Model folder, or packaged model, to score frames; repeat for an ensemble's members.",
    ),
]
Statistics = Annotated[Path | None, typer.Option(help="Statistics of an ensemble's members (CSV).")]
States = Annotated[Path | None, typer.Option(help="Grid of states, to look up rewards.")]
Rewards = Annotated[Path | None, typer.Option(help="Rewards of the grid.")]
Errors = Annotated[Path | None, typer.Option(help="Errors of the look-up (CSV).")]


def reward_files(
    settings: RunRewardSettings,
    models: list[Path] | None,
    statistics: Path | None,
    states: Path | None,
    rewards: Path | None,
    errors: Path | None,
) -> RewardFiles:
    """The files that the rewards of a training are computed from.

    Raises:
        UserError: An option is missing that the reward needs.
    """
    if settings.max_lookup_error is None:
        by_function = isinstance(settings.embedding, FunctionModel)
        if settings.run.reward_source not in REFERENCES and not by_function:
            _check_models(settings, models or [], statistics)
        return RewardFiles(models or [], statistics)
    if models or states is None or rewards is None or errors is None:
        raise UserError(
            f"--states, --rewards, --errors: {settings.run.task} looks its rewards up in a grid; "
            "give these three, and no --model"
        )
    return RewardFiles(grid=(states, rewards, errors))


def _check_models(settings: RunRewardSettings, models: list[Path], statistics: Path | None) -> None:
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
