"""What states lack, in words."""

import numpy as np
import pytest

from vlmrm.tasks.criteria import FAILURES, failures
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import pose_library, pose_state

SIZES = {"cartpole": 4, "mountain-car": 2, "humanoid": 47}


def test_every_criterion_of_every_oracle_has_a_name():
    # Environments of the user's own say success themselves.
    oracles = {name: oracle for name, oracle in ORACLES.items() if name != "success"}
    assert FAILURES.keys() == oracles.keys()
    for name, oracle in oracles.items():
        state = np.zeros((1, SIZES[oracle.environment]))
        if oracle.environment == "humanoid":
            state = pose_state({})[None]
        margins = oracle.margins(state)
        assert margins.shape == (1, len(FAILURES[name])), name
        assert len(set(FAILURES[name])) == len(FAILURES[name])


def test_a_success_fails_nothing():
    for pose in pose_library().values():
        for task in pose.tasks:
            assert failures(task, pose.state[None]) == [[]], task


@pytest.mark.parametrize(
    ("oracle", "joints", "expected"),
    [
        ("one-leg", {}, ["no foot clearly lifted"]),
        ("arms-raised", {}, {"right hand too low", "left hand too low"}),
        ("hands-on-hips", {}, {"right hand off the hip", "left hand off the hip"}),
        ("kneeling", {}, {"right knee off the floor", "left knee off the floor"}),
    ],
)
def test_someone_who_stands_lacks_what_one_expects(oracle, joints, expected):
    (found,) = failures(oracle, pose_state(joints)[None])
    assert set(expected) <= set(found)
    assert "leaning over" not in found


def test_sides_are_those_of_the_robot():
    """Of the left arm alone, which is raised."""
    raised = next(
        state
        for state in (pose_state({"left_shoulder1": angle}) for angle in (-90, 90))
        if "left elbow too low" not in failures("arms-raised", state[None])[0]
    )
    assert "right elbow too low" in failures("arms-raised", raised[None])[0]


@pytest.mark.parametrize(("change", "expected"), [(1.0, "in mid-air"), (-0.3, "inside the floor")])
def test_height_is_named(change, expected):
    state = pose_state({})
    state[2] += change
    assert failures("standing", state[None])[0][0] == expected


def test_the_worst_comes_first():
    state = np.array([[3.0, 0, 2.0, 0]])  # far from upright, 0.6 m off the track
    assert failures("cartpole", state) == [["pole not upright", "cart off its track"]]
