"""Frames that environments draw themselves, each in its own OpenGL context."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym


def draw(env: gym.Env[Any, Any]) -> Any:
    """What an environment's ``render()`` returns, also beside other environments of the process.

    Gymnasium's robots (those with a ``mujoco_renderer``) draw into whichever context is current,
    and free their OpenGL objects there by number: as soon as an environment is gone, those of
    another one may be missing, and its frames are black. Here, each draws and frees in its own.
    """
    viewer = _viewer(env)
    if viewer is not None:
        viewer.make_context_current()
    picture = env.render()
    viewer = _viewer(env)  # the first frame has made it
    if viewer is not None and "free" not in vars(viewer.opengl_context):
        gl = viewer.opengl_context
        gl.free = partial(_free, gl, viewer.con, gl.free)
    return picture


def _viewer(env: gym.Env[Any, Any]) -> Any:
    """The viewer of the latest frame, if it is one without a window."""
    viewer = getattr(getattr(env.unwrapped, "mujoco_renderer", None), "viewer", None)
    return viewer if hasattr(viewer, "opengl_context") else None


def _free(gl: Any, context: Any, free: Callable[[], None]) -> None:
    """Frees MuJoCo's resources in the OpenGL context that they belong to, then this one."""
    gl.make_current()
    context.free()
    free()
