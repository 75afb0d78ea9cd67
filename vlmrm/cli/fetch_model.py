"""``vlmrm fetch-model``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.model_entry import model_entry
from vlmrm.cli.options import ConfigFile, Output
from vlmrm.config import PretrainedModel, load_config


def fetch_model(
    name: Annotated[str, typer.Argument(help="Name of a model of the configuration.")],
    config: ConfigFile,
    output: Output,
) -> None:
    """Download a published model; an interrupted download continues."""
    settings = model_entry(load_config(config), name, PretrainedModel)
    from vlmrm.models.pretrained import fetch_pretrained

    fetch_pretrained(name, settings, output)
