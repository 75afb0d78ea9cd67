"""Renders the humanoid with OpenGL."""

from __future__ import annotations

import weakref

import mujoco
import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Rendering
from vlmrm.rendering.opengl import free_gl, open_gl
from vlmrm.rendering.scenes import place, scene_camera, scene_model


class HumanoidRenderer:
    """Renders humanoid states off screen; use it only in the thread that made it."""

    def __init__(self, scene: str, rendering: Rendering) -> None:
        size = rendering.humanoid_size
        self.shape = (size, size, 3)
        self._model = scene_model(scene)
        self._data = mujoco.MjData(self._model)
        self._camera = scene_camera(scene, self._model)
        self._option = mujoco.MjvOption()
        self._perturbation = mujoco.MjvPerturb()
        self._scene = mujoco.MjvScene(self._model, maxgeom=self._model.ngeom)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = rendering.shadows
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = scene == "gymnasium"
        self._viewport = mujoco.MjrRect(0, 0, size, size)
        self._pixels = np.empty(self.shape, np.uint8)
        self._gl = open_gl(size)
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_50)
        self._free = weakref.finalize(self, free_gl, self._gl, self._context)
        self._free.atexit = False  # the display may be gone by then
        mujoco.mjr_resizeOffscreen(size, size, self._context)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)

    def render(self, state: NDArray[np.float64], out: NDArray[np.uint8]) -> None:
        """Renders the posture of a state, which begins with `qpos`, into ``out`` ``[H, W, 3]``."""
        place(self._model, self._data, state)
        mujoco.mjv_updateScene(
            self._model,
            self._data,
            self._option,
            self._perturbation,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL,
            self._scene,
        )
        self._gl.make_current()  # another renderer may have been used since
        mujoco.mjr_render(self._viewport, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._viewport, self._context)
        out[:] = self._pixels[::-1]  # OpenGL's first row is the bottom

    def close(self) -> None:
        self._free()
