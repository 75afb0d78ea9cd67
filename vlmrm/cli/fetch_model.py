"""``vlmrm fetch-model``."""

from __future__ import annotations

from vlmrm.cli.options import ConfigFile, ModelName, Output, model_settings
from vlmrm.config import PackagedModel, PretrainedModel


def fetch_model(name: ModelName, config: ConfigFile, output: Output) -> None:
    """Download a published model, or copy one that comes with the package.

    Interrupted downloads are resumed.
    """
    settings = model_settings(config, name, PretrainedModel, PackagedModel)
    if isinstance(settings, PackagedModel):
        from vlmrm.models.packaged import copy_packaged

        copy_packaged(settings, output)
        return
    from vlmrm.models.fetch import fetch_pretrained

    fetch_pretrained(name, settings, output)
