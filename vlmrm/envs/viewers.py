"""What environments render themselves: each robot in its own OpenGL context, and valid frames."""

from __future__ import annotations

import functools
import sys
from contextlib import suppress
from typing import Any

import numpy as np

MODULE = "gymnasium.envs.mujoco.mujoco_rendering"


def separate_viewers() -> None:
    """Makes each of Gymnasium's off-screen viewers draw, and free, in its own OpenGL context.

    They draw into whichever context is current, and free their OpenGL objects there by number.
    With several in a process, frames turn black as soon as another environment is gone. This
    changes the class, because the other may be any environment of the process. It has no effect
    before Gymnasium's module is loaded, with the first of its robots.
    """
    viewer = getattr(sys.modules.get(MODULE), "OffScreenViewer", None)
    if viewer is None or viewer.free is _free:
        return
    draw = viewer.render

    @functools.wraps(draw)
    def render(self: Any, *arguments: Any, **options: Any) -> Any:
        self.make_context_current()
        return draw(self, *arguments, **options)

    viewer.render, viewer.free = render, _free


def _free(self: Any) -> None:
    """Frees MuJoCo's resources in the OpenGL context that they belong to, then the context."""
    gl = self.opengl_context
    with suppress(Exception):  # it is current in another thread, or OpenGL has ended before
        if hasattr(gl, "as_current"):  # since MuJoCo 4
            with gl.as_current():
                self.con.free()
        else:
            gl.make_current()
            self.con.free()
    gl.free()


def frame_problem(picture: Any) -> str | None:
    """What ``render()`` returned, if that is no frame, uint8 RGB ``[H, W, 3]``; otherwise None."""
    if not isinstance(picture, np.ndarray):
        return type(picture).__name__
    if picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3:
        return None
    return f"{picture.dtype} {list(picture.shape)}"
