"""Gymnasium's humanoid, which may fall, its kinematics, and its pictures."""

from __future__ import annotations

import functools
import weakref

import mujoco
import numpy as np
from gymnasium.envs.mujoco.humanoid_v5 import HumanoidEnv as GymnasiumHumanoidEnv
from gymnasium.utils import EzPickle
from numpy.typing import NDArray

from vlmrm.config import Rendering
from vlmrm.envs.base import Renderer, StateEnv
from vlmrm.envs.opengl import free_gl, open_gl
from vlmrm.envs.scenes import XML, place, scene_camera, scene_model


@functools.cache
def humanoid_model() -> mujoco.MjModel:
    """Compiles the model of the physics, once per process; treat it as read-only."""
    return mujoco.MjModel.from_xml_path(str(XML))


class HumanoidEnv(GymnasiumHumanoidEnv, StateEnv):
    """Gymnasium's Humanoid-v5 that is never terminated for being "unhealthy".

    One step is 15 ms. A state vector is `qpos` (24) followed by `qvel` (23), in SI units and
    radians: see `state_names`.
    """

    def __init__(self) -> None:
        super().__init__(terminate_when_unhealthy=False)
        # Copies are made by calling this constructor, not Gymnasium's with its arguments.
        EzPickle.__init__(self)


def _state_names() -> tuple[str, ...]:
    model = humanoid_model()
    joints = [model.joint(i).name for i in range(1, model.njnt)]
    root = ["x", "y", "z"]
    position = [*root, "quaternion_w", "quaternion_x", "quaternion_y", "quaternion_z", *joints]
    velocity = [*root, "angular_x", "angular_y", "angular_z", *joints]
    return (*position, *(f"{name}_velocity" for name in velocity))


HumanoidEnv.state_names = _state_names()


def make_renderer(scene: str, rendering: Rendering) -> Renderer:
    """Draw the humanoid in a scene.

    Raises:
        UserError: The humanoid has no such scene, or OpenGL or Vulkan cannot start.
    """
    if scene == "filament":
        from vlmrm.envs.filament import FilamentRenderer

        return FilamentRenderer(rendering)
    return HumanoidRenderer(scene, rendering)


class HumanoidRenderer:
    """Off-screen OpenGL pictures of humanoid states; to be used by the thread that made it."""

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
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = scene == "original"
        self._viewport = mujoco.MjrRect(0, 0, size, size)
        self._pixels = np.empty(self.shape, np.uint8)
        self._gl = open_gl(size)
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_50)
        self._free = weakref.finalize(self, free_gl, self._gl, self._context)
        self._free.atexit = False  # the display may be gone by then
        mujoco.mjr_resizeOffscreen(size, size, self._context)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)

    def render(self, state: NDArray[np.float64], out: NDArray[np.uint8]) -> None:
        """Draw the posture in ``state``, `qpos` and then anything, into ``out`` ``[H, W, 3]``."""
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
        self._gl.make_current()  # another renderer may have drawn since
        mujoco.mjr_render(self._viewport, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._viewport, self._context)
        out[:] = self._pixels[::-1]  # OpenGL's first row is the lowest

    def close(self) -> None:
        self._free()
