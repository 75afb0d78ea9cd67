import numpy as np
import pytest

from vlmrm.config import PathStates
from vlmrm.states.paths import sample_paths
from vlmrm.tasks.body import BodyQuantities


@pytest.fixture(scope="module")
def paths():
    return sample_paths(PathStates(sampler="paths", points=9))


def test_every_path_starts_in_failure_and_ends_in_success(paths):
    for task in np.unique(paths.columns["path"]):
        on_path = paths.columns["path"] == task
        verdicts = paths.labels[task][on_path]
        assert verdicts[-1]
        assert not verdicts[0]
        np.testing.assert_allclose(paths.columns["progress"][on_path], np.linspace(0, 1, 9))


def test_steps_are_small_and_on_the_floor(paths):
    joints = paths.values[:, 7:24].reshape(8, 9, 17)
    steps = np.abs(np.diff(joints, axis=1))
    np.testing.assert_allclose(steps, steps[:, :1].repeat(8, axis=1), atol=1e-9)
    assert np.allclose(BodyQuantities.of(paths.values).lowest_point, 0, atol=1e-6)
