import numpy as np
import pytest

from vlmrm.config import PathStates
from vlmrm.pretraining.captions import state_facts
from vlmrm.pretraining.distances import FAR, distances
from vlmrm.pretraining.phrases import PHRASES
from vlmrm.states.paths import sample_paths
from vlmrm.states.training import sample_training_states
from vlmrm.tasks.poses import mirrored

STATES = 600


def column(environment, value):
    return [v for values in PHRASES[environment].values() for v in values].index(value)


@pytest.fixture(scope="module")
def humanoids():
    states = sample_training_states("humanoid", STATES, seed=0)
    return states, state_facts("humanoid", states)


def test_only_what_a_state_shows_clearly_is_at_no_distance(humanoids):
    states, facts = humanoids
    table = distances("humanoid", states, facts)
    values = [(fact, v) for fact, values in PHRASES["humanoid"].items() for v in values]
    shown = np.array([[f.get(fact) == value for fact, value in values] for f in facts])
    np.testing.assert_array_equal(table == 0, shown)
    assert table.shape == (STATES, len(values))
    assert table.max() <= FAR


def test_a_value_that_no_state_has_is_far_from_all(humanoids):
    states, facts = humanoids
    others = [{**f, "posture": "standing"} for f in facts]
    table = distances("humanoid", states, others)
    assert (table[:, column("humanoid", "lotus")] == FAR).all()


def test_left_and_right_do_not_matter(humanoids):
    states, facts = humanoids
    both = np.concatenate([states, mirrored(states)])
    # Facts of the mirror images are left out, so that only the others are references.
    table = distances("humanoid", both, [*facts, *({} for _ in facts)])
    unclear = table[:STATES] > 0
    np.testing.assert_allclose(table[:STATES][unclear], table[STATES:][unclear], atol=1e-6)
    np.testing.assert_allclose(table[STATES:][~unclear], 0, atol=1e-6)


@pytest.mark.parametrize(
    ("task", "value"), [("kneeling", "kneeling"), ("lotus", "lotus"), ("splits", "splits")]
)
def test_on_the_way_to_a_pose_its_distance_falls(humanoids, task, value):
    states, facts = humanoids
    path = sample_paths(PathStates(sampler="paths", tasks=[task], points=9)).values
    table = distances("humanoid", np.concatenate([states, path]), [*facts, *({} for _ in path)])
    assert (np.diff(table[STATES:, column("humanoid", value)]) < 0).all()


def test_the_pole_is_farther_the_more_it_leans():
    angles = np.radians([0, 3, 6, 12, 40, 90, 180])
    states = np.zeros((len(angles), 4))
    states[:, 2] = angles
    table = distances("cartpole", states, state_facts("cartpole", states))
    assert (np.diff(table[:, column("cartpole", "none")]) > 0).all()


def test_the_lean_of_a_pole_out_of_sight_does_not_matter():
    states = np.zeros((4, 4))
    states[:2, 2] = 0, 0.1
    states[2:, 0] = 3.4
    states[2:, 2] = 0.1, 1.5
    table = distances("cartpole", states, state_facts("cartpole", states))
    leans = [column("cartpole", value) for value in ("none", "slight-right")]
    np.testing.assert_array_equal(table[2, leans], table[3, leans])
    assert (table[2:, leans] > 3).all()
