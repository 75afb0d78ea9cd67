"""Nested values in files that cannot run code, unlike pickles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_values(path: Path, value: Any) -> None:
    """Writes dictionaries, lists, tuples, texts, numbers, None, and arrays of numbers (NPZ).

    Raises:
        TypeError: It contains something else.
    """
    arrays: list[NDArray[Any]] = []
    content = json.dumps(_encode(value, arrays)).encode()
    np.savez(path, np.frombuffer(content, np.uint8), *arrays)


def read_values(path: Path) -> Any:
    """Reads what `write_values` wrote; raises any error if the file is damaged."""
    with np.load(path, allow_pickle=False) as file:
        content, *arrays = (file[f"arr_{number}"] for number in range(len(file.files)))
    return _decode(json.loads(content.tobytes()), arrays)


def _encode(value: Any, arrays: list[NDArray[Any]]) -> Any:
    # First: some of NumPy's numbers are Python's too, but compute differently.
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind not in "biuf":
            raise TypeError(f"an array of {value.dtype} cannot be written")
        arrays.append(np.asarray(value))
        return {"array" if isinstance(value, np.ndarray) else "number": len(arrays) - 1}
    if isinstance(value, dict):
        return {"dict": [[_encode(part, arrays) for part in item] for item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_encode(part, arrays) for part in value]}
    if isinstance(value, list):
        return [_encode(part, arrays) for part in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} cannot be written")


def _decode(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_decode(part, arrays) for part in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    match kind:
        case "array":
            return arrays[content]
        case "number":
            return arrays[content][()]
        case "tuple":
            return tuple(_decode(content, arrays))
        case "dict":
            return {_decode(key, arrays): _decode(part, arrays) for key, part in content}
    raise ValueError(f"unknown kind of value '{kind}'")
