import numpy as np

from vlmrm.tasks.oracle_accuracy import accuracy, closest_to_boundary
from vlmrm.tasks.oracles import ORACLES


def test_clean_poses_get_their_intended_verdict_and_noise_lowers_accuracy():
    result = accuracy("arms-crossed", copies=5)
    assert result["poses, clean"] == result["hard negatives, clean"] == 1
    assert result["poses, full"] < result["poses, slight"]


def test_the_closest_states_lie_on_both_sides_of_the_boundary():
    states, verdicts = closest_to_boundary("kneeling", 6)
    assert states.shape == (6, 47)
    np.testing.assert_array_equal(verdicts, [True] * 3 + [False] * 3)
    np.testing.assert_array_equal(ORACLES["kneeling"](states), verdicts)
