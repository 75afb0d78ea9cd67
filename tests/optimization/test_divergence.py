"""Properties of the divergence of two samples of states."""

import numpy as np
import pytest

from vlmrm.optimization.divergence import divergence


def sample(rng, count=60, shift=0.0):
    return rng.normal(size=(count, 5)) + shift


def test_equal_distributions_have_none_on_average():
    rng = np.random.default_rng(0)
    found = [divergence(sample(rng), sample(rng, 90)) for _ in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert min(found) < 0 < max(found)


def test_few_trajectories_of_one_distribution_have_none_on_average():
    rng = np.random.default_rng(5)
    trajectory = np.repeat(np.arange(5), 20)

    def correlated():
        return sample(rng, 5)[trajectory] + 0.3 * sample(rng, 100)

    found = [divergence(correlated(), correlated(), (trajectory, trajectory)) for _ in range(300)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 0.03


def test_it_grows_with_the_shift_and_stays_below_one():
    rng = np.random.default_rng(1)
    base, other = sample(rng), sample(rng)
    found = [divergence(base, other + shift) for shift in (0, 0.5, 1, 2, 4, 100)]
    assert found == sorted(found)
    assert found[1] - found[0] > 0.02
    assert 0.9 < found[-1] < 1


def test_it_sees_a_change_of_spread_alone():
    rng = np.random.default_rng(2)
    assert divergence(sample(rng), 3 * sample(rng)) > 0.05


def test_it_is_the_equation_by_hand():
    x, y = np.array([[0.0], [2.0]]), np.array([[4.0], [10.0]])
    # 2 (4 + 10 + 2 + 8) / 4 = 12 between; 2 and 6 within.
    assert divergence(x, y) == pytest.approx((12 - 2 - 6) / 12)


def test_exchanged_samples_and_other_units_change_nothing():
    rng = np.random.default_rng(3)
    first, second = sample(rng), sample(rng, 40, shift=0.7)
    found = divergence(first, second)
    assert divergence(second, first) == pytest.approx(found)
    scale, offset = np.array([1e-3, 1, 7, 1e4, -2]), np.array([5, 0, -3, 1e4, 9])
    assert divergence(first * scale + offset, second * scale + offset) == pytest.approx(found)
    constant = [np.insert(states, 2, 0.1, axis=1) for states in (first, second)]
    assert divergence(*constant) == pytest.approx(found)


def test_many_states_are_thinned_out(monkeypatch):
    monkeypatch.setattr("vlmrm.optimization.divergence.LARGEST", 100)
    rng = np.random.default_rng(4)
    first, second = sample(rng, 1000), sample(rng, 1000, shift=1)
    thinned = divergence(first, second)
    monkeypatch.undo()
    assert thinned == pytest.approx(divergence(first, second), abs=0.05)


def test_equal_states_have_none_and_a_single_trajectory_is_refused():
    assert divergence(np.ones((3, 2)), np.ones((4, 2))) == 0
    with pytest.raises(ValueError, match="at least two trajectories"):
        divergence(np.ones((1, 2)), np.ones((4, 2)))
    with pytest.raises(ValueError, match="at least two trajectories"):
        divergence(np.ones((3, 2)), np.ones((4, 2)), ([0, 0, 0], [0, 0, 1, 1]))
    with pytest.raises(ValueError, match="NaN or infinity"):
        divergence(np.full((3, 2), np.nan), np.ones((4, 2)))
    with pytest.raises(ValueError, match="at least one number"):
        divergence(np.ones((3, 0)), np.ones((4, 0)))
