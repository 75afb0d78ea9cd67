"""``vlmrm make-random-model``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.model_entry import model_entry
from vlmrm.cli.options import ConfigFile, Output
from vlmrm.config import RandomModel, load_config


def make_random_model(
    name: Annotated[str, typer.Argument(help="Name of a model of the configuration.")],
    config: ConfigFile,
    output: Output,
) -> None:
    """Make a model with random weights, the control."""
    settings = model_entry(load_config(config), name, RandomModel)
    from vlmrm.models import random_init

    random_init.make_random_model(settings, output)
