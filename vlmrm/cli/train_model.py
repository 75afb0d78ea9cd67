"""``vlmrm train-model``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Device, Gpus, ModelName, OutputFolder, model_settings
from vlmrm.config import SimulatorModel
from vlmrm.machine.gpus import claim_gpus


def train_model(
    name: ModelName,
    config: ConfigFile,
    corpus: Annotated[Path, typer.Option(help="Image-text pairs of `make-corpus`.")],
    output: OutputFolder,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Train a CLIP model on a corpus of simulator frames."""
    settings = model_settings(config, name, SimulatorModel)
    claim_gpus(gpus)
    from vlmrm.pretraining import train

    train.train_model(settings, corpus, output, device)
