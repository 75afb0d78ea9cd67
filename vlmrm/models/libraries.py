"""open_clip, timm, and torchvision: imported without torch's compiler, called without messages.

They import the compiler, which takes longer than all the rest of them, only to mark functions that
must not be compiled. Nothing is compiled here, so a stand-in is enough while they are imported.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__all__ = ["InterpolationMode", "functional", "open_clip", "quiet", "timm"]

COMPILER = ("torch._dynamo", "torch._dynamo.utils")


@contextmanager
def without_compiler() -> Iterator[None]:
    """Within it, imports find a stand-in for torch's compiler, unless it is loaded already."""
    if COMPILER[0] in sys.modules:
        yield
        return
    for name in COMPILER:
        stand_in: Any = ModuleType(name)
        stand_in.__path__ = []
        stand_in.disable = lambda function, *_, **__: function
        stand_in.is_compile_supported = _is_compile_supported
        sys.modules[name] = stand_in
    try:
        yield
    finally:
        for name in COMPILER:
            del sys.modules[name]


def _is_compile_supported(device: str) -> bool:
    from torch._dynamo.utils import is_compile_supported

    return bool(is_compile_supported(device))


@contextmanager
def quiet() -> Iterator[None]:
    """Suppresses open_clip's messages, such as the warning about missing weights.

    They go to the root logger. Where it has no handler, the first of them would make one, which
    from then on prints the messages of the whole process.
    """
    root = logging.getLogger()
    level, handler = root.level, logging.NullHandler()
    root.addHandler(handler)
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


with without_compiler():
    import open_clip
    import timm.utils.model
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional
