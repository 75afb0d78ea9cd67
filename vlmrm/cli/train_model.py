"""``vlmrm train-model``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Device, Gpus, ModelName, OutputFolder, model_settings
from vlmrm.config import SimulatorModel
from vlmrm.errors import UserError
from vlmrm.machine.gpus import claim_gpus


def train_model(
    name: ModelName,
    config: ConfigFile,
    corpus: Annotated[Path, typer.Option(help="Image-text pairs of `make-corpus`.")],
    output: OutputFolder,
    initial_model: Annotated[
        Path | None, typer.Option(help="Model folder whose weights the training starts from.")
    ] = None,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Train a CLIP model on a corpus of simulator frames."""
    settings = model_settings(config, name, SimulatorModel)
    if (initial_model is None) != (settings.initial_model is None):
        need = settings.initial_model or "random weights"
        raise UserError(f"--initial-model: models.{name} starts from {need}; give the same here")
    claim_gpus(gpus)
    from vlmrm.pretraining import train

    train.train_model(settings, corpus, output, device, initial_model)
