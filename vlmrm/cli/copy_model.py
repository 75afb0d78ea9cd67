"""``vlmrm copy-model``."""

from __future__ import annotations

from vlmrm.cli.options import ConfigFile, ModelName, OutputFolder, model_settings
from vlmrm.config import PackagedModel


def copy_model(name: ModelName, config: ConfigFile, output: OutputFolder) -> None:
    """Copy a model that comes with the package."""
    settings = model_settings(config, name, PackagedModel)
    from vlmrm.models.packaged import copy_packaged

    copy_packaged(settings, output)
