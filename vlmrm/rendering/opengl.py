"""Off-screen OpenGL contexts."""

from __future__ import annotations

import functools
import importlib
import os
import warnings
from multiprocessing import parent_process
from typing import Any

import mujoco

from vlmrm import OPENGL
from vlmrm.machine.gpus import has_nvidia_gpu
from vlmrm.machine.libraries import NVIDIA_EGL, load_triton_first, opengl_error

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software")
"""Words in the names of OpenGL's renderers on the CPU."""


def open_gl(size: int) -> Any:
    """Creates a context for frames of ``size`` x ``size`` pixels, and makes it current.

    MuJoCo renders on the first GPU of ``CUDA_VISIBLE_DEVICES``, or on number
    ``MUJOCO_EGL_DEVICE_ID`` of them (see `render_on`).

    Raises:
        UserError: OpenGL cannot start.
    """
    if parent_process() is None:  # workers do not train
        load_triton_first()
    # Not mujoco.GLContext, which MuJoCo chooses on import, perhaps before this package.
    try:
        library = importlib.import_module(f"mujoco.{OPENGL}")
        context = library.GLContext(size, size)
    except Exception as error:  # the class depends on the library
        raise opengl_error(error) from error
    context.make_current()
    warn_if_software()
    return context


def free_gl(gl: Any, context: mujoco.MjrContext) -> None:
    """Frees MuJoCo's resources in a context, and the context itself."""
    # OpenGL frees by number in the current context, which may be another renderer's.
    gl.make_current()
    context.free()
    gl.free()


def render_on(device: str) -> None:
    """Makes this process and its workers render on the GPU that torch uses.

    Args:
        device: A torch device; only ``cuda:N`` has an effect.
    """
    kind, _, number = device.partition(":")
    if kind == "cuda" and number:
        os.environ.setdefault("MUJOCO_EGL_DEVICE_ID", number)


def gl_renderer() -> str:
    """Name of the current context's renderer (``GL_RENDERER``)."""
    from OpenGL.GL import GL_RENDERER, glGetString

    name: bytes = glGetString(GL_RENDERER)
    return name.decode()


def in_software() -> bool:
    """Whether the current context renders on the CPU."""
    return any(word in gl_renderer().lower() for word in SOFTWARE)


@functools.cache
def warn_if_software() -> None:
    """Warns once per process if there is an NVIDIA GPU but rendering does not use it."""
    if has_nvidia_gpu() and in_software():
        warnings.warn(
            f"frames are rendered in software ({gl_renderer()}), which is slow, although there is "
            f"an NVIDIA GPU; {NVIDIA_EGL}",
            stacklevel=2,
        )
