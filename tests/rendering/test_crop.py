"""The robot is where its square is."""

import numpy as np
import pytest

from vlmrm.config import Rendering
from vlmrm.rendering import make_renderer
from vlmrm.rendering.crop import SMALLEST, RobotFinder
from vlmrm.rendering.parallel import draw
from vlmrm.tasks.poses import pose_library, turned

SIZE = 128


@pytest.mark.parametrize("name", ["upright, hanging", "splits, spread", "lying-back, raised"])
@pytest.mark.parametrize("place", [(0, 0), (0.3, -0.3), (-0.3, 0.3)])
def test_the_square_holds_the_robot_and_little_else(name, place):
    state = turned(pose_library()[name].state[None], 0.5)[0]
    state[:2] += place
    empty = state.copy()
    empty[2] -= 50  # below the floor
    renderer = make_renderer("humanoid", "textured-fixed", Rendering(humanoid_size=SIZE))
    seen, background = draw(renderer, np.stack([state, empty])).astype(int)
    renderer.close()
    differs = (np.abs(seen - background) > 8).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    left, top, side = (SIZE * share for share in RobotFinder("textured-fixed").square(state))
    assert left <= columns[0] and columns[-1] <= left + side
    assert top <= rows[0] and rows[-1] <= top + side
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    assert side <= max(1.6 * extent, SMALLEST * SIZE + 1)


def test_a_camera_that_follows_the_robot_keeps_it_in_place():
    state = pose_library()["upright, hanging"].state
    moved = state + np.eye(len(state))[0] * 5
    finder = RobotFinder("textured")
    assert finder.square(moved) == pytest.approx(finder.square(state), abs=1e-3)


def test_a_robot_outside_the_frame_has_a_square_within():
    state = pose_library()["upright, hanging"].state
    left, top, side = RobotFinder("textured-fixed").square(state + np.eye(len(state))[1] * 9)
    assert 0 <= left <= left + side <= 1
    assert 0 <= top <= top + side <= 1
