import numpy as np

from vlmrm.tasks.oracle_accuracy import accuracy, closest_to_boundary
from vlmrm.tasks.oracles import ORACLES


def test_noise_makes_poses_of_a_task_harder_to_tell_but_not_clean_ones():
    result = accuracy("arms-crossed", copies=5)
    assert result["poses, clean"] == result["hard negatives, clean"] == 1
    assert result["poses, full"] < result["poses, slight"]


def test_the_closest_states_lie_on_both_sides_of_the_boundary():
    states, verdicts = closest_to_boundary("kneeling", 6)
    assert states.shape == (6, 47)
    np.testing.assert_array_equal(verdicts, [True] * 3 + [False] * 3)
    np.testing.assert_array_equal(ORACLES["kneeling"](states), verdicts)
