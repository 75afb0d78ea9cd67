"""How large the models of a configuration are, also those that name no architecture."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmrm.config import Config, PretrainedModel
from vlmrm.config.architectures import architecture_file
from vlmrm.models.folder import CONFIG_FILE

if TYPE_CHECKING:
    from vlmrm.models.model_size import Towers

MODELS = Path("resources/models")
"""Where the workflow keeps models, from the folder of the project."""

STAND_IN = "ViT-B-32"
"""What a published model counts as while nothing tells its size: hardly one is smaller."""


def towers_of(config: Config, model: str) -> Towers:
    """Size of a model; that of `STAND_IN` where it is unknown. Loads PyTorch, which takes seconds.

    Raises:
        UserError: Its architecture is unknown.
    """
    from vlmrm.models.model_size import towers

    folder = _folder(config, model)
    return (_read_towers(folder) if folder else None) or towers(
        config.models[model].architecture or STAND_IN
    )


def is_unknown(config: Config, model: str) -> bool:
    """Whether nothing here tells a model's size."""
    if config.models[model].architecture is not None:
        return False
    folder = _folder(config, model)
    return folder is None or _read_towers(folder) is None


def model_config(config: Config, model: str) -> dict[str, Any]:
    """open_clip's ``model_cfg`` of a model; that of `STAND_IN` where it cannot be read here."""
    folder = _folder(config, model)
    if folder is not None and (described := _read_config(folder)):
        return described
    architecture = config.models[model].architecture or STAND_IN
    return dict(json.loads(architecture_file(architecture).read_text()))


def _folder(config: Config, model: str) -> Path | None:
    """Where the configuration of a model lies that names no architecture."""
    settings = config.models[model]
    if settings.architecture is not None:
        return None
    assert isinstance(settings, PretrainedModel)
    folders = [Path(settings.path)] if settings.path is not None else []
    folders = [folder.resolve() for folder in (*folders, MODELS / model)]
    return next((folder for folder in folders if (folder / CONFIG_FILE).is_file()), None)


def _read_config(folder: Path) -> dict[str, Any] | None:
    try:
        described = json.loads((folder / CONFIG_FILE).read_text())["model_cfg"]
        return described if {"embed_dim", "text_cfg"} <= described.keys() else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


@functools.cache
def _read_towers(folder: Path) -> Towers | None:
    from vlmrm.models.model_size import towers

    try:
        return towers(f"local-dir:{folder}")
    except Exception:  # whatever a malformed or foreign file makes open_clip raise
        return None
