"""The robot is where its square is, and pictures are cropped to it."""

import numpy as np
import pytest

from vlmrm.config import Rendering
from vlmrm.rendering import make_renderer
from vlmrm.rendering.crop import SMALLEST, RobotFinder, close_ups, crop, equal_squares
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
    assert side <= max(1.4 * extent, SMALLEST * SIZE + 1)


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


def test_squares_of_one_side_hold_all_robots():
    finder = RobotFinder("textured-fixed")
    names = ("upright, raised", "kneel, hanging", "lying-back, raised")
    extents = [finder.extent(pose_library()[name].state) for name in names]
    squares = np.array(equal_squares(extents))
    assert len(set(squares[:, 2])) == 1
    for (low, high), (*corner, side) in zip(extents, squares, strict=True):
        assert (corner <= low + 1e-9).all() and (high <= np.add(corner, side) + 1e-9).all()
        assert min(corner) >= 0 and max(corner) + side <= 1


def test_a_crop_is_a_part_of_the_frame():
    frame = np.arange(10 * 10 * 3, dtype=np.uint8).reshape(10, 10, 3)
    np.testing.assert_array_equal(crop(frame, (0.2, 0.5, 0.4)), frame[5:9, 2:6])
    assert crop(frame, (0.56, 0.56, 0.44)).shape == (4, 4, 3)  # rounding leaves it within


def test_pictures_of_several_scenes_have_one_size_and_are_parts_of_the_frames():
    states = np.stack([pose_library()[name].state for name in ("kneel, spread", "upright, raised")])
    small = Rendering(humanoid_size=SIZE)
    scenes = ["textured-fixed", "textured"]
    shown = close_ups("humanoid", states, scenes, small)
    assert shown[0].shape == shown[1].shape
    assert len(shown[0]) < 0.9 * SIZE
    for state, scene, picture in zip(states, scenes, shown, strict=True):
        renderer = make_renderer("humanoid", scene, small)
        frame = draw(renderer, state[None])[0]
        renderer.close()
        windows = np.lib.stride_tricks.sliding_window_view(frame, picture.shape)[:, :, 0]
        assert (windows == picture).all(axis=(2, 3, 4)).any()


def test_pictures_for_people_have_the_size_that_they_ask_for():
    states = pose_library()["kneel, spread"].state[None]
    (picture,) = close_ups("humanoid", states, ["textured"], Rendering(), 90)
    assert picture.shape == (90, 90, 3)


def test_pictures_of_classic_control_are_whole():
    (picture,) = close_ups("cartpole", np.zeros((1, 4)), ["gymnasium"], Rendering(), 90)
    assert picture.shape == (400, 600, 3)
