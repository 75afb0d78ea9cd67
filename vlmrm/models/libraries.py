"""open_clip, timm, and torchvision: imported without unused parts, called without messages.

They import torch's compiler, which takes longer than all the rest of them, only to mark functions
that must not be compiled. Nothing is compiled here, so a stand-in is enough while they are
imported. open_clip also imports transformers, for text towers that need a download. Those are
refused here, and do not work in a process that imports this module before transformers. Tokenizers
do: they import transformers when they are made.
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
def without_unused() -> Iterator[None]:
    """Within it, imports find neither torch's compiler nor transformers, unless already loaded."""
    unused = {} if COMPILER[0] in sys.modules else {name: _stand_in(name) for name in COMPILER}
    if "transformers" not in sys.modules:
        unused["transformers"] = None  # as if it were not installed
    sys.modules.update(unused)
    try:
        yield
    finally:
        for name in unused:
            del sys.modules[name]


def _stand_in(name: str) -> Any:
    module: Any = ModuleType(name)
    module.__path__ = []
    module.disable = lambda function, *_, **__: function
    module.is_compile_supported = _is_compile_supported
    return module


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


with without_unused():
    import open_clip
    import timm.utils.model
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional
