import numpy as np
import pytest

from vlmrm.pretraining.facts import describe, describe_clearly
from vlmrm.pretraining.phrases import PHRASES
from vlmrm.states.training import sample_training_states
from vlmrm.tasks.body import FEET, TOUCH, BodyQuantities
from vlmrm.tasks.poses import pose_library, pose_state


@pytest.fixture(scope="module")
def varied():
    return sample_training_states("humanoid", 300, seed=3)


@pytest.fixture(scope="module")
def many():
    """States and all their facts."""
    states = sample_training_states("humanoid", 2000, seed=4)
    return states, describe(states)


def test_all_facts_and_no_others_have_phrases(many):
    _, facts = many
    described = {fact: {values.get(fact) for values in facts} for fact in PHRASES["humanoid"]}
    assert {fact: values - {None} for fact, values in described.items()} == {
        fact: set(values) for fact, values in PHRASES["humanoid"].items()
    }
    assert set().union(*facts) == PHRASES["humanoid"].keys()


def test_clear_facts_are_true_and_most_facts_are_clear(varied):
    everything, clear = describe(varied), describe_clearly(varied)
    assert all(c.items() <= e.items() for e, c in zip(everything, clear, strict=True))
    assert 0.8 < np.mean(["posture" in facts for facts in clear]) < 1


def test_clear_facts_do_not_depend_on_other_states(varied):
    together = describe_clearly(varied)
    assert [describe_clearly(state[None])[0] for state in varied[:20]] == together[:20]


@pytest.mark.parametrize("name", ["kneel", "lotus", "splits", "upright", "lying-back", "long-sit"])
def test_typical_poses_have_a_clear_posture(name):
    pose = next(pose for key, pose in pose_library().items() if key.split(", ")[0] == name)
    assert describe_clearly(pose.state[None])[0]["posture"] == pose.posture


def test_halfway_between_two_postures_neither_is_clear():
    falling = np.stack([pose_state({}, pitch=pitch) for pitch in (0, -45, -90)])
    upright, between, lying = describe_clearly(falling)
    assert (upright["posture"], lying["posture"]) == ("standing", "lying-on-back")
    assert "posture" not in between


STATED = {
    # What the phrases of a value say, in meters and degrees.
    "almost-kneeling": lambda body: (body.knee_clearance > TOUCH).all(axis=1),
    "half-kneeling": lambda body: (
        (body.knee_clearance < 0.1).any(axis=1) & (body.clearance(*FEET) < 0.11).any(axis=1)
    ),
    "crawling": lambda body: (body.knee_clearance < 0.1).any(axis=1),
    "heel-sitting": lambda body: body.clearance("butt")[:, 0] < 0.21,
    "squatting": lambda body: (
        (np.degrees(body.knee_angles) < 150).any(axis=1) & (body.knee_clearance > TOUCH).all(axis=1)
    ),
    "lying-on-back": lambda body: body.pelvis_height < 0.35,
    "lying-face-down": lambda body: body.pelvis_height < 0.35,
    "lying-on-side": lambda body: body.pelvis_height < 0.35,
    "bent": lambda body: (np.degrees(body.elbow_angles) < 150).all(axis=1),
    "one-bent": lambda body: (np.degrees(body.elbow_angles) > 140).sum(axis=1) == 1,
}


@pytest.mark.parametrize("value", STATED)
def test_states_are_as_their_captions_say(many, value):
    states, facts = many
    (fact,) = (fact for fact in ("posture", "arms") if value in PHRASES["humanoid"][fact])
    called = states[[described.get(fact) == value for described in facts]]
    assert len(called) > 3
    assert STATED[value](BodyQuantities.of(called)).all()


def test_a_state_that_fits_no_name_has_none(many):
    # A robot that is falling over neither stands nor lies.
    states, facts = many
    body = BodyQuantities.of(states)
    falling = (body.uprightness < 0.7) & (body.pelvis_height > 0.4) & (body.frontness > 0.5)
    falling &= body.lowest_point < TOUCH
    assert falling.any()
    assert not any("posture" in facts[state] for state in np.flatnonzero(falling))
