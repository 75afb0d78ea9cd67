import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vlmrm.pretraining.facts import describe
from vlmrm.pretraining.phrases import PHRASES
from vlmrm.tasks.body import BodyQuantities
from vlmrm.tasks.poses import (
    JOINTS,
    between,
    combinations,
    joint_limits,
    mirrored,
    pose_library,
    pose_state,
    settled,
    turned,
)


@pytest.fixture(scope="module")
def states():
    return np.stack([pose.state for pose in pose_library().values()])


def test_every_task_has_several_poses_and_hard_negatives():
    poses = pose_library().values()
    tasks = {task for pose in poses for task in pose.tasks}
    assert len(tasks) == 8
    for task in tasks:
        assert sum(task in pose.tasks for pose in poses) >= 5
        assert sum(task in pose.near for pose in poses) >= 6


def test_no_pose_breaks_joint_limits():
    angles = np.stack(list(combinations().values()))[:, 7:24]
    low, high = joint_limits().T
    within = (angles >= low - 1e-6) & (angles <= high + 1e-6)
    offenders = {JOINTS[i] for i in np.flatnonzero(~within.all(axis=0))}
    assert offenders <= {"right_knee", "left_knee"}  # never quite straight: at most -2 degrees
    assert (angles <= high + np.radians(2.001)).all()


def test_poses_are_plausible(states):
    body = BodyQuantities.of(states)
    in_the_air = np.array([pose.posture == "in-mid-air" for pose in pose_library().values()])
    assert (np.abs(body.lowest_point[~in_the_air]) < 0.02).all()
    assert (body.lowest_point[in_the_air] > 0.2).all()
    assert (body.overlap < 0.03).all()


@pytest.mark.parametrize("task", ["kneeling", "lotus", "splits"])
def test_poses_on_the_floor_stay_as_they_are(task, monkeypatch):
    """After a second with springs at their joints, they still fulfill their task."""
    from vlmrm.tasks import poses
    from vlmrm.tasks.oracles import ORACLES

    monkeypatch.setattr(poses, "SETTLING_TIME", 1.0)
    library = pose_library().values()
    later = settled(np.stack([pose.state for pose in library if task in pose.tasks]))
    assert ORACLES[task](later).all()


def test_poses_are_described_as_intended(states):
    known = PHRASES["humanoid"]
    for (name, pose), facts in zip(pose_library().items(), describe(states), strict=True):
        expected_facts = {"posture": pose.posture, "arms": pose.arms, "legs": pose.legs}
        assert all(expected_facts[key] in known[key] for key in expected_facts), name
        assert facts.keys() == known.keys(), name
        assert expected_facts.items() <= facts.items(), name


def test_a_joint_without_a_side_means_both():
    both = pose_state({"hip_x": -20, "shoulder1": 30})
    single = pose_state(
        {"right_hip_x": -20, "left_hip_x": -20, "right_shoulder1": 30, "left_shoulder1": -30}
    )
    np.testing.assert_array_equal(both, single)
    np.testing.assert_allclose(mirrored(both[None])[0], both, atol=1e-12)


def test_mirroring_swaps_sides_and_is_its_own_inverse(states):
    rng = np.random.default_rng(0)
    states = turned(states + np.r_[np.zeros(24), rng.normal(size=23)], 0.7)
    image = mirrored(states)
    np.testing.assert_allclose(mirrored(image), states, atol=1e-12)
    reflection = np.array([1, -1, 1])
    body, reflected = BodyQuantities.of(states), BodyQuantities.of(image)
    for points in ("hands", "feet", "knees", "elbows"):
        ours, theirs = getattr(body, points), getattr(reflected, points)
        np.testing.assert_allclose(theirs, ours[:, ::-1] * reflection, atol=1e-6)


def test_turning_turns_the_body_and_its_velocity(states):
    moving = states.copy()
    moving[:, 24:27] = [1.0, 0.0, 0.5]
    result = turned(moving, np.pi / 2)
    np.testing.assert_allclose(result[:, 24:27] - [0, 1, 0.5], 0, atol=1e-12)
    expected = Rotation.from_euler("z", np.pi / 2) * Rotation.from_quat(states[:, [4, 5, 6, 3]])
    actual = Rotation.from_quat(result[:, [4, 5, 6, 3]])
    np.testing.assert_allclose((expected * actual.inv()).magnitude(), 0, atol=1e-6)


def test_between_two_poses_is_on_the_floor():
    poses = combinations()
    first, second = (poses[name][None].repeat(20, 0) for name in ("kneel, hanging", "wide, raised"))
    states = between(first, second, np.linspace(0, 1, 20))
    assert np.allclose(BodyQuantities.of(states).lowest_point, 0)
    low, high = np.sort([first[0, 7:24], second[0, 7:24]], axis=0)
    assert ((states[:, 7:24] >= low - 1e-9) & (states[:, 7:24] <= high + 1e-9)).all()
