"""Names of architectures, found without loading open_clip (which takes seconds)."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

FAMILY = Path(__file__).parents[1] / "models" / "architectures"
"""open_clip configurations of the offline family, a file for each size."""


@functools.cache
def family_architectures() -> list[str]:
    """The sizes of the offline family."""
    return sorted(file.stem for file in FAMILY.glob("*.json"))


@functools.cache
def open_clip_architectures() -> list[str]:
    """The architectures that open_clip brings."""
    return sorted(file.stem for file in _open_clip_folder().glob("*.json"))


def architecture_file(architecture: str) -> Path:
    """The file with open_clip's configuration of an architecture, its own or the family's."""
    folder = FAMILY if architecture in family_architectures() else _open_clip_folder()
    return folder / f"{architecture}.json"


def _open_clip_folder() -> Path:
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("open_clip is not installed")
    return Path(spec.origin).parent / "model_configs"
