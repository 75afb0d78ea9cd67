"""``vlmrm make-random-model``."""

from __future__ import annotations

from vlmrm.cli.options import ConfigFile, ModelName, OutputFolder, model_settings
from vlmrm.config import RandomModel


def make_random_model(name: ModelName, config: ConfigFile, output: OutputFolder) -> None:
    """Make a model with random weights, as a control."""
    settings = model_settings(config, name, RandomModel)
    from vlmrm.models import random_init

    random_init.make_random_model(settings, output)
