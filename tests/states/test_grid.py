import numpy as np
import pytest

from vlmrm.config import GridStates, UniformStates
from vlmrm.envs.cartpole import MAX_CART_POSITION
from vlmrm.states.grid import sample_grid
from vlmrm.states.uniform import sample_uniform


def grid(environment, resolution=1.0):
    return sample_grid(GridStates(sampler="grid", environment=environment, resolution=resolution))


def uniform(environment, size=4000, seed=0):
    return sample_uniform(
        UniformStates(sampler="uniform", environment=environment, size=size, seed=seed)
    )


@pytest.mark.parametrize("resolution", [0.05, 0.2, 0.5, 1, 1.7, 2])
def test_cartpole_grid_is_complete_and_symmetric_and_contains_the_landmarks(resolution):
    states = grid("cartpole", resolution).values
    x, theta = np.unique(states[:, 0]), np.unique(states[:, 2])
    assert len(states) == len(x) * len(theta) == len(np.unique(states, axis=0))
    for axis in (x, theta):
        assert 0 in axis
        np.testing.assert_array_equal(axis, -axis[::-1])
    assert {-0.25, 0.25, -np.pi, np.pi} <= set(theta)
    assert {-3.5, 3.5} <= set(x)
    assert not states[:, [1, 3]].any()


def test_cartpole_grid_at_resolution_1_is_fine_where_the_pole_stands():
    states = grid("cartpole").values
    theta = np.unique(states[:, 2])
    assert len(states) < 3000
    near = theta[np.abs(theta) < 0.305]
    np.testing.assert_allclose(near, np.arange(-30, 31) / 100, atol=1e-12)
    assert 0.09 < np.diff(theta[theta > 0.295]).max() < 0.11


def test_cartpole_grid_is_twice_as_fine_where_the_cart_leaves_the_frame():
    x = np.unique(grid("cartpole").values[:, 0])
    visible = x[np.abs(x) < MAX_CART_POSITION]
    np.testing.assert_allclose(np.diff(visible), 3.5 / 9)
    np.testing.assert_allclose(np.diff(x[x >= visible[-1]]), 3.5 / 18)


def test_mountain_car_grid():
    states = grid("mountain-car").values
    np.testing.assert_allclose(states[:, 0], np.arange(-120, 61) / 100, atol=1e-12)
    assert not states[:, 1].any()


@pytest.mark.parametrize("resolution", [0.01, 0.1, 0.33, 2])
def test_mountain_car_grid_scales(resolution):
    position = grid("mountain-car", resolution).values[:, 0]
    assert abs(len(position) - 181 * resolution) < 5
    assert position[0] == -1.2
    assert position[-1] == 0.6
    assert 0 in position
    assert (np.diff(position) > 0).all()


def test_grids_are_labeled():
    cartpole = grid("cartpole")
    x, _, theta, _ = cartpole.values.T
    upright = (np.abs(theta) <= np.radians(12)) & (np.abs(x) <= 2.4)
    np.testing.assert_array_equal(cartpole.labels["cartpole"], upright)
    car = grid("mountain-car")
    np.testing.assert_array_equal(car.labels["mountain-car"], car.values[:, 0] >= 0.45)
    for states in (cartpole, car):
        assert set(states.labels) == {states.environment}


@pytest.mark.parametrize(
    ("environment", "column", "low", "high"),
    [
        ("cartpole", 0, -2.4, 2.4),
        ("cartpole", 2, -np.pi, np.pi),
        ("mountain-car", 0, -1.2, 0.6),
    ],
)
def test_uniform_states_fill_their_range_evenly(environment, column, low, high):
    values = uniform(environment).values[:, column]
    assert len(values) == 4000
    counts, _ = np.histogram(values, bins=10, range=(low, high))
    assert counts.sum() == 4000
    assert (np.abs(counts - 400) < 80).all()


@pytest.mark.parametrize(("environment", "p"), [("cartpole", 1 / 15), ("mountain-car", 1 / 12)])
def test_uniform_states_contain_both_classes_at_the_documented_rate(environment, p):
    labels = uniform(environment).labels[environment]
    assert labels.dtype == bool
    assert labels.mean() == pytest.approx(p, abs=0.015)


def test_uniform_states_depend_only_on_the_seed():
    np.testing.assert_array_equal(uniform("cartpole").values, uniform("cartpole").values)
    assert not np.isin(uniform("cartpole", seed=1).values[:, 0], uniform("cartpole").values).any()


def test_states_survive_a_round_trip(tmp_path):
    states = uniform("mountain-car", size=10)
    states.write(tmp_path / "states.h5")
    again = type(states).read(tmp_path / "states.h5")
    np.testing.assert_array_equal(again.values, states.values)
    np.testing.assert_array_equal(again.labels["mountain-car"], states.labels["mountain-car"])
