"""``vlmrm train-model``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.model_entry import model_entry
from vlmrm.cli.options import ConfigFile, Device, Gpus, Output
from vlmrm.config import SimulatorModel, load_config
from vlmrm.machine.gpus import claim_gpus


def train_model(
    name: Annotated[str, typer.Argument(help="Name of a model of the configuration.")],
    config: ConfigFile,
    corpus: Annotated[Path, typer.Option(help="Image-text pairs of `make-corpus`.")],
    output: Output,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Train a CLIP model on a corpus of simulator frames."""
    settings = model_entry(load_config(config), name, SimulatorModel)
    claim_gpus(gpus)
    from vlmrm.pretraining.train import pretrain

    pretrain(settings, corpus, output, device)
