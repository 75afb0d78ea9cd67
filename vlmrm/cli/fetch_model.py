"""``vlmrm fetch-model``."""

from __future__ import annotations

from vlmrm.cli.options import ConfigFile, ModelName, OutputFolder, model_settings
from vlmrm.config import PretrainedModel


def fetch_model(name: ModelName, config: ConfigFile, output: OutputFolder) -> None:
    """Download a published model, or resume an interrupted download."""
    settings = model_settings(config, name, PretrainedModel)
    from vlmrm.models.fetch import fetch_pretrained

    fetch_pretrained(name, settings, output)
