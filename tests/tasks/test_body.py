import numpy as np
import pytest

from vlmrm.tasks.body import FEET, UPPER_BODY, BodyQuantities
from vlmrm.tasks.poses import combinations, pose_state, turned


@pytest.fixture(scope="module")
def upright():
    return BodyQuantities.of(combinations()["upright, hanging"])


def test_a_single_state_is_a_batch_of_one(upright):
    assert upright.head_height.shape == (1,)


def test_proportions_of_gymnasiums_humanoid(upright):
    """Straight legs of 0.403 + 0.35 m, feet of radius 0.075, trunk of 0.425 m, head at 0.19."""
    assert upright.pelvis_height[0] == pytest.approx(0.403 + 0.35 + 0.075 + 0.04, abs=0.01)
    assert upright.head_height[0] == pytest.approx(
        upright.pelvis_height[0] + 0.425 + 0.19, abs=0.01
    )
    assert upright.lowest_point[0] == pytest.approx(0, abs=1e-9)
    assert upright.uprightness[0] == pytest.approx(1)


def test_only_the_feet_of_a_standing_robot_touch_the_floor(upright):
    assert upright.on_floor(*FEET).all()
    assert not upright.on_floor(*UPPER_BODY).any()
    assert (upright.knee_clearance > 0.1).all()


def test_angles_follow_the_joints():
    body = BodyQuantities.of(pose_state({"knee": -90, "hip_y": -45}))
    assert np.degrees(body.knee_angles) == pytest.approx(90, abs=3)
    apart = BodyQuantities.of(pose_state({"hip_x": -20, "knee": -2}))
    assert np.degrees(apart.leg_spread[0]) == pytest.approx(40, abs=3)


def test_right_is_right():
    body = BodyQuantities.of(pose_state({"right_hip_y": -90, "knee": -2}))
    assert body.thigh_directions[0, 0, 0] > 0.9 > body.thigh_directions[0, 1, 0]
    assert (body.outwards * body.in_torso_frame(body.hands)[..., 1] > 0).all()


def test_facing_and_the_heading_frame_turn_with_the_robot():
    state = combinations()["stride, forward"][None]
    before, after = BodyQuantities.of(state), BodyQuantities.of(turned(state, 1.2))
    assert before.facing[0] == pytest.approx(0)
    assert after.facing[0] == pytest.approx(1.2)
    np.testing.assert_allclose(after.leg_directions, before.leg_directions, atol=1e-9)


def test_leaning_loses_balance():
    over, beside = (BodyQuantities.of(pose_state({"knee": -2}, pitch=pitch)) for pitch in (0, 30))
    distances = [b.imbalance(b.feet[:, 0], b.feet[:, 1])[0] for b in (over, beside)]
    assert distances[0] < 0.05
    assert distances[1] > 0.3


def test_overlap_is_the_depth_at_which_limbs_intersect(upright):
    assert upright.overlap[0] <= 0
    folded = BodyQuantities.of(pose_state({"hip_z": 35, "hip_y": -60}))  # Thighs turned inwards.
    assert folded.overlap[0] > 0.02
