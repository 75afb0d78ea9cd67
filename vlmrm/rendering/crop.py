"""Where the robot is in a frame. It is small in there, since the camera shows where it may go."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import mujoco
import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Rendering
from vlmrm.rendering.parallel import render_states
from vlmrm.rendering.scenes import place, scene_camera, scene_model

BORDER = 0.04
"""Width of the border around the robot, as a share of its extent."""
SMALLEST = 0.4
"""Smallest side of a crop, as a share of the frame's: a crouching robot looks small."""
HIDDEN = 3
"""Groups of geoms from this one on are not rendered."""
CORNERS = np.stack(np.meshgrid(*[[-1.0, 1.0]] * 3), axis=-1).reshape(8, 3)
"""Corners of a box, in its half sizes."""

Square = tuple[float, float, float]
"""Left, top, and side, in shares of a square frame."""


class RobotFinder:
    """Finds the robot in the frames of a humanoid scene; only for one thread at a time."""

    def __init__(self, scene: str):
        self._model = model = scene_model(scene)
        self._data = mujoco.MjData(model)
        self._camera = scene_camera(scene, model)
        self._scene = mujoco.MjvScene(model, maxgeom=model.ngeom)
        # The floor has body 0.
        self._geoms = np.flatnonzero((model.geom_bodyid > 0) & (model.geom_group < HIDDEN))
        boxes = model.geom_aabb.reshape(-1, 2, 3)[self._geoms]
        self._corners = boxes[:, :1] + CORNERS * boxes[:, 1:]

    def square(self, state: NDArray[np.float64]) -> Square:
        """The square around the robot of a state, whose first entries are `qpos`."""
        return equal_squares([self.extent(state)])[0]

    def extent(self, state: NDArray[np.float64]) -> NDArray[np.float64]:
        """Left and top, right and bottom of the robot ``[2, 2]`` within the frame, in shares."""
        place(self._model, self._data, state)
        mujoco.mjv_updateCamera(self._model, self._data, self._camera, self._scene)
        turns = self._data.geom_xmat[self._geoms].reshape(-1, 3, 3)
        corners = self._data.geom_xpos[self._geoms, None] + self._corners @ turns.swapaxes(1, 2)
        points = self._project(corners.reshape(-1, 3))
        return np.clip([points.min(axis=0), points.max(axis=0)], 0, 1)

    def _project(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points ``[K, 2]`` (right, down) of places ``[K, 3]``, in shares of the frame."""
        eyes = self._scene.camera  # left and right, which a frame averages
        forward, up = np.array(eyes[0].forward), np.array(eyes[0].up)
        offsets = places - np.mean([eye.pos for eye in eyes], axis=0)
        height = eyes[0].frustum_top - eyes[0].frustum_bottom
        scale = eyes[0].frustum_near / np.maximum(offsets @ forward, 1e-6) / height
        right, down = offsets @ np.cross(forward, up), -offsets @ up
        return 0.5 + scale[:, None] * np.stack([right, down], axis=1)


def equal_squares(extents: Sequence[NDArray[np.float64]]) -> list[Square]:
    """Squares of one side around several extents ``[2, 2]``, within the frame: sizes compare."""
    largest = max(float((high - low).max()) for low, high in extents)
    side = min(1.0, max(SMALLEST, (1 + 2 * BORDER) * largest))
    corners = np.clip([(low + high - side) / 2 for low, high in extents], 0, 1 - side)
    return [(float(left), float(top), side) for left, top in corners]


def crop(frame: NDArray[np.uint8], square: Square) -> NDArray[np.uint8]:
    """The part ``[S, S, 3]`` of a frame ``[H, H, 3]`` within a square; ``S`` follows its side."""
    size = len(frame)
    left, top, side = (round(size * share) for share in square)
    left, top = min(left, size - side), min(top, size - side)
    return frame[top : top + side, left : left + side]


def close_ups(
    environment: str,
    states: NDArray[np.float64],
    scenes: Sequence[str],
    rendering: Rendering,
    size: int | None = None,
) -> list[NDArray[np.uint8]]:
    """Pictures of states: of the humanoid, squares around the robot, of one size for all.

    Args:
        environment: Name of the environment; others than the humanoid are shown whole.
        states: State vectors ``[N, D]``.
        scenes: The scene of each state.
        rendering: Size of the frames, and shadows.
        size: Side of the squares in pixels, for which frames are rendered as large as it takes. By
            default, squares are parts of the frames that a model sees.

    Returns:
        Uint8 RGB pictures ``[H, W, 3]``, in the order of the states.

    Raises:
        UserError: The environment has no such scene, or rendering cannot start.
    """
    squares: list[Square] = []
    if environment == "humanoid":
        finders = {scene: RobotFinder(scene) for scene in scenes}
        pairs = zip(states, scenes, strict=True)
        squares = equal_squares([finders[scene].extent(state) for state, scene in pairs])
        if size is not None:
            side = squares[0][2]
            rendering = rendering.model_copy(update={"humanoid_size": round(size / side)})
    pictures: dict[int, NDArray[np.uint8]] = {}
    for scene in dict.fromkeys(scenes):
        rows = [row for row, other in enumerate(scenes) if other == scene]
        batches = render_states(environment, scene, rendering, states[rows], workers=1)
        for row, frame in zip(rows, chain.from_iterable(batches), strict=True):
            pictures[row] = crop(frame, squares[row]).copy() if squares else frame
    return [pictures[row] for row in range(len(scenes))]
