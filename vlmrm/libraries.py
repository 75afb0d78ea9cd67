"""Shared libraries that do not get along."""

from __future__ import annotations

import importlib
from contextlib import suppress


def load_triton_first() -> None:
    """Loads triton, where it is installed, before anything is drawn.

    Triton and Mesa's software renderer each bring an LLVM. Triton, which the optimisers of torch
    load, crashes the process if Mesa has drawn in it before; the other way round both work.
    """
    with suppress(ImportError):
        importlib.import_module("triton")
