import numpy as np
import pytest

from vlmrm.config import DiagnosisStates
from vlmrm.states import sample_states
from vlmrm.tasks.oracles import ORACLES

SPEC = DiagnosisStates(sampler="diagnosis", poses=16, seed=3)


@pytest.fixture(scope="module")
def states():
    return sample_states(SPEC)


def test_states_are_paths_and_then_poses_of_every_task(states):
    assert len(states) == SPEC.size
    poses = states.columns["path"] == ""
    assert poses[-16 * 8 :].all() and poses.sum() == 16 * 8
    for task in SPEC.paths.tasks:
        path = states.columns["path"] == task
        assert states.columns["progress"][path][[0, -1]].tolist() == [0, 1]
        assert states.labels[task][path][-1]
        assert 0 < states.labels[task][poses].mean() < 1
        expected = ORACLES[task].score(states.values)
        np.testing.assert_allclose(states.columns[f"score {task}"], expected)


def test_a_seed_is_one_set(states):
    assert np.array_equal(sample_states(SPEC).values, states.values)
    other = sample_states(SPEC.model_copy(update={"seed": 4})).values
    on_paths = SPEC.paths.size
    assert np.array_equal(other[:on_paths], states.values[:on_paths])
    assert not np.array_equal(other, states.values)
