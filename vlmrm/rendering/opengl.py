"""OpenGL without a screen: contexts, and what draws in them."""

from __future__ import annotations

import functools
import importlib
import os
import warnings
from multiprocessing import parent_process
from typing import Any

import mujoco

from vlmrm.envs import opengl_error
from vlmrm.machine.gpus import has_nvidia_gpu
from vlmrm.machine.libraries import NVIDIA_EGL, load_triton_first

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software")
"""What OpenGL's renderers on the CPU are called."""


def open_gl(size: int) -> Any:
    """A context, made current, for pictures of ``size`` x ``size`` pixels.

    MuJoCo takes the first GPU of ``CUDA_VISIBLE_DEVICES``, or number ``MUJOCO_EGL_DEVICE_ID`` of
    them: see `draw_on`.

    Raises:
        UserError: OpenGL cannot start.
    """
    if parent_process() is None:  # workers train nothing
        load_triton_first()
    # Not mujoco.GLContext: MuJoCo chose that when it was imported, perhaps before this package.
    try:
        library = importlib.import_module(f"mujoco.{os.environ['MUJOCO_GL']}")
        context = library.GLContext(size, size)
    except Exception as error:  # which class depends on the library that failed
        raise opengl_error(error) from error
    context.make_current()
    warn_of_software()
    return context


def free_gl(gl: Any, context: mujoco.MjrContext) -> None:
    """Frees what MuJoCo keeps in a context, and the context itself."""
    # OpenGL frees by number in whichever context is current: in another renderer's, without this.
    gl.make_current()
    context.free()
    gl.free()


def draw_on(device: str) -> None:
    """Lets this process and its workers draw on the GPU on which torch computes.

    Args:
        device: A torch device; only ``cuda:N`` says something about drawing.
    """
    kind, _, number = device.partition(":")
    if kind == "cuda" and number:
        os.environ.setdefault("MUJOCO_EGL_DEVICE_ID", number)


def drawn_by() -> str:
    """What draws in the current context, as the driver names it."""
    from OpenGL.GL import GL_RENDERER, glGetString

    name: bytes = glGetString(GL_RENDERER)
    return name.decode()


def in_software() -> bool:
    """Whether the processor draws in the current context."""
    return any(word in drawn_by().lower() for word in SOFTWARE)


@functools.cache
def warn_of_software() -> None:
    """Warns once per process if an NVIDIA GPU is there, but does not draw."""
    if has_nvidia_gpu() and in_software():
        warnings.warn(
            f"pictures are drawn in software ({drawn_by()}), which is slow, although there is an "
            f"NVIDIA GPU; {NVIDIA_EGL}",
            stacklevel=2,
        )
