"""Shared libraries: those that do not get along, and what to do where one lacks."""

from __future__ import annotations

import importlib
from contextlib import suppress

NVIDIA_EGL = (
    "install the driver's EGL library (libEGL_nvidia), in containers set "
    "NVIDIA_DRIVER_CAPABILITIES=all"
)
"""What to do where there is an NVIDIA GPU, and pictures are drawn in software all the same."""


def load_triton_first() -> None:
    """Loads triton, where it is installed, before anything is drawn.

    Triton and Mesa's software renderer each bring an LLVM. Triton, which the optimizers of torch
    load, crashes the process if Mesa has drawn in it before; the other way round both work.
    """
    with suppress(ImportError):
        importlib.import_module("triton")
