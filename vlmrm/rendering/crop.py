"""Where the robot is in a frame. It is small in there, since the camera shows where it may go."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from vlmrm.rendering.scenes import place, scene_camera, scene_model

BORDER = 0.06
"""Width of the border around the robot, as a share of its extent."""
SMALLEST = 0.4
"""Smallest side of a crop, as a share of the frame's: a crouching robot looks small."""


class RobotFinder:
    """Finds the robot in the frames of a humanoid scene; only for one thread at a time."""

    def __init__(self, scene: str):
        self._model = scene_model(scene)
        self._data = mujoco.MjData(self._model)
        self._camera = scene_camera(scene, self._model)
        self._scene = mujoco.MjvScene(self._model, maxgeom=self._model.ngeom)
        self._geoms = np.flatnonzero(self._model.geom_bodyid > 0)  # the floor has body 0

    def square(self, state: NDArray[np.float64]) -> tuple[float, float, float]:
        """Left, top, and side of a square around the robot, in shares of a square frame.

        Args:
            state: State vector, which begins with `qpos`.
        """
        place(self._model, self._data, state)
        mujoco.mjv_updateCamera(self._model, self._data, self._camera, self._scene)
        points, radii = self._project(self._data.geom_xpos[self._geoms])
        low = np.clip((points - radii[:, None]).min(axis=0), 0, 1)
        high = np.clip((points + radii[:, None]).max(axis=0), 0, 1)
        side = min(1.0, max(SMALLEST, (1 + 2 * BORDER) * (high - low).max()))
        left, top = np.clip((low + high - side) / 2, 0, 1 - side)
        return float(left), float(top), float(side)

    def _project(
        self, places: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Points ``[K, 2]`` (right, down) and radii ``[K]`` of geoms, in shares of the frame."""
        eyes = self._scene.camera  # left and right, which a frame averages
        forward, up = np.array(eyes[0].forward), np.array(eyes[0].up)
        offsets = places - np.mean([eye.pos for eye in eyes], axis=0)
        height = eyes[0].frustum_top - eyes[0].frustum_bottom
        scale = eyes[0].frustum_near / np.maximum(offsets @ forward, 1e-6) / height
        right, down = offsets @ np.cross(forward, up), -offsets @ up
        points = 0.5 + scale[:, None] * np.stack([right, down], axis=1)
        return points, scale * self._model.geom_rbound[self._geoms]
