import numpy as np
import pytest

from vlmrm.figures.sizes import spread_out


def test_close_places_are_spread_around_their_mean_and_far_ones_stay():
    spread = spread_out([0.5, 0.1, 0.51], 0.1)
    assert np.allclose(spread, [0.455, 0.1, 0.555])


def test_spreading_one_cluster_into_another_keeps_the_gap():
    places = [0.3, 0.31, 0.32, 0.44, 0.45]
    assert np.diff(spread_out(places, 0.1)).min() == pytest.approx(0.1)
