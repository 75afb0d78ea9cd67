"""Names of architectures, found without loading open_clip (which takes seconds)."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

FAMILY = Path(__file__).parent / "architectures"
"""open_clip configurations of the offline family, a file for each size."""


@functools.cache
def family_architectures() -> list[str]:
    """The sizes of the offline family."""
    return sorted(file.stem for file in FAMILY.glob("*.json"))


@functools.cache
def open_clip_architectures() -> list[str]:
    """The architectures that open_clip brings."""
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("open_clip is not installed")
    return sorted(f.stem for f in (Path(spec.origin).parent / "model_configs").glob("*.json"))
