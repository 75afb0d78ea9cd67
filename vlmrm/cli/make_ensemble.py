"""``vlmrm make-ensemble``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, ModelName, OutputFolder, model_settings
from vlmrm.config import EnsembleModel
from vlmrm.models import ensemble


def make_ensemble(
    name: ModelName,
    folders: Annotated[list[Path], typer.Argument(help="Model folders of its members, in order.")],
    config: ConfigFile,
    output: OutputFolder,
) -> None:
    """Record the members of an ensemble, which has no weights of its own."""
    settings = model_settings(config, name, EnsembleModel)
    ensemble.make_ensemble(settings, folders, output)
