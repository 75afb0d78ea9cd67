"""Names of architectures, found without loading open_clip (which takes seconds)."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

SIM_FOLDER = Path(__file__).parents[1] / "models" / "architectures"
"""Folder with the open_clip configurations of the `sim-*` architectures."""


@functools.cache
def sim_architectures() -> list[str]:
    """Names of the `sim-*` architectures."""
    return sorted(file.stem for file in SIM_FOLDER.glob("*.json"))


WEIGHTS_FOLDER = Path(__file__).parents[1] / "models" / "weights"
"""Folder with the folders of the packaged models."""


@functools.cache
def packaged_models() -> list[str]:
    """Names of the models that come with the package, the smallest first."""
    folders = WEIGHTS_FOLDER.glob("*/")
    return [folder.name for folder in sorted(folders, key=_size_of_weights)]


def _size_of_weights(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


@functools.cache
def open_clip_architectures() -> list[str]:
    """Names of the architectures in open_clip."""
    return sorted(file.stem for file in _open_clip_folder().glob("*.json"))


def architecture_file(architecture: str) -> Path:
    """File with the open_clip configuration of an architecture."""
    folder = SIM_FOLDER if architecture in sim_architectures() else _open_clip_folder()
    return folder / f"{architecture}.json"


def _open_clip_folder() -> Path:
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("open_clip is not installed")
    return Path(spec.origin).parent / "model_configs"
