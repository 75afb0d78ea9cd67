"""Shared libraries: those that do not get along, and what to do where one lacks."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vlmrm.errors import UserError, lacks_memory, one_line

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


@contextmanager
def explain_opengl() -> Iterator[None]:
    """Says what to install where MuJoCo cannot be imported.

    MuJoCo loads the OpenGL library that ``MUJOCO_GL`` names, even if nothing is rendered.

    Raises:
        UserError: MuJoCo finds no such library.
    """
    try:
        yield
    except Exception as error:
        if lacks_memory(error):
            raise
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        for frame in frames:
            importing = frame.f_code.co_name == "<module>"
            if importing and frame.f_globals.get("__name__") == "mujoco":
                raise opengl_error(error) from error
        raise


def opengl_error(reason: BaseException) -> UserError:
    """An error that says how to install off-screen OpenGL."""
    # PyOpenGL asks a library that it has not found for its functions.
    missing = isinstance(reason, AttributeError)
    why = "no such library" if missing else one_line(reason)
    return UserError(
        f"MUJOCO_GL: OpenGL cannot start ({why}); install the Debian "
        "packages libegl1 and libgl1-mesa-dri (EGL, with a software fallback), or install "
        "libosmesa6 and set MUJOCO_GL=osmesa"
    )
