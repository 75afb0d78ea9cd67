"""``vlmrm make-function-model``."""

from __future__ import annotations

from vlmrm.cli.options import ConfigFile, ModelName, OutputFolder, model_settings
from vlmrm.config import FunctionModel


def make_function_model(name: ModelName, config: ConfigFile, output: OutputFolder) -> None:
    """Check a function that scores frames, and record what identifies it. Runs its factory."""
    settings = model_settings(config, name, FunctionModel)
    from vlmrm.models.folder import save_function_folder
    from vlmrm.rewards.factories import load_function

    load_function(name, settings)
    save_function_folder(output, settings)
