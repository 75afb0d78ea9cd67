import numpy as np
import pandas as pd
import pytest

from vlmrm.config import GridStates
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.rewards.lookup import RewardGrid, measure_interpolation, refuse_inexact
from vlmrm.states.grid import sample_grid


def table(states, reward, task="t", scoring="alpha-0.5"):
    return pd.DataFrame(
        {"state": np.arange(len(states)), "task": task, "scoring": scoring, "reward": reward}
    )


def make(environment, function, resolution=1.0):
    states = sample_grid(GridStates(sampler="grid", environment=environment, resolution=resolution))
    return states, RewardGrid.from_table(
        states, table(states, function(states.values)), "t", "alpha-0.5"
    )


@pytest.fixture
def cartpole():
    return make("cartpole", lambda s: np.cos(s[:, 2]) - 0.1 * s[:, 0])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_is_exact_on_the_grid(cartpole):
    states, grid = cartpole
    expected = np.cos(states.values[:, 2]) - 0.1 * states.values[:, 0]
    rewards = grid(states.values)
    assert rewards.dtype == np.float32
    assert rewards.shape == (len(states),)
    np.testing.assert_allclose(rewards, expected, atol=1e-6)


def test_interpolates_linearly_between_uneven_points(cartpole, rng):
    _, grid = cartpole
    inside = rng.uniform(-3.1, 3.1, (500, 4))
    positions, angles = grid.axes.values()
    at_angle = np.array([np.interp(inside[:, 2], angles, row) for row in grid.rewards]).T
    pairs = zip(inside[:, 0], at_angle, strict=True)
    expected = [np.interp(position, positions, rewards) for position, rewards in pairs]
    np.testing.assert_allclose(grid(inside), expected, atol=1e-6)


def test_one_state_at_a_time_is_the_same_as_many(cartpole, rng):
    _, grid = cartpole
    states = rng.uniform(-4, 4, (20, 4))
    np.testing.assert_array_equal(grid(states), [grid(state[None])[0] for state in states])
    assert grid(states[:0]).shape == (0,)


def test_velocities_do_not_matter(cartpole):
    _, grid = cartpole
    assert grid([[0.4, 0, 0.1, 0]]) == grid([[0.4, 9, 0.1, -7]])


@pytest.mark.parametrize("turns", [-3, -1, 1, 2])
def test_angles_wrap(cartpole, rng, turns):
    _, grid = cartpole
    states = rng.uniform(-3, 3, (50, 4))
    turned = states + np.array([0, 0, 2 * np.pi * turns, 0])
    np.testing.assert_allclose(grid(turned), grid(states), atol=1e-5)


def test_is_continuous_where_the_pole_hangs_down(cartpole):
    _, grid = cartpole
    below, above = grid([[0, 0, np.pi - 1e-6, 0], [0, 0, np.pi + 1e-6, 0]])
    assert below == pytest.approx(above, abs=1e-5)
    assert below == pytest.approx(-1, abs=1e-5)


def test_takes_the_edge_beyond_the_grid(cartpole):
    _, grid = cartpole
    edge, beyond, far = grid([[3.5, 0, 1, 0], [3.6, 0, 1, 0], [1e6, 0, 1, 0]])
    assert edge == beyond == far


def test_one_dimension(rng):
    _, grid = make("mountain-car", lambda s: 3 * s[:, 0] + 1)
    states = rng.uniform([-1.2, -0.07], [0.6, 0.07], (50, 2))
    np.testing.assert_allclose(grid(states), 3 * states[:, 0] + 1, atol=1e-6)
    np.testing.assert_allclose(grid([[-2, 0], [2, 0]]), [-2.6, 2.8], atol=1e-6)


def check(reward, rng):
    """States between the grid's points, and their rewards."""
    states = States("mountain-car", rng.uniform([-1.2, 0], [0.6, 0], (300, 2)))
    return states, table(states, reward(states.values))


def test_errors_of_interpolation(rng):
    states, _ = make("mountain-car", lambda s: s[:, 0])
    rewards = table(states, states.values[:, 0])
    probes, _ = check(lambda s: s[:, 0], rng)
    off = np.where(np.arange(300) < 150, 0.2, -0.4)
    row = measure_interpolation(
        states, rewards, probes, table(probes, probes.values[:, 0] + off)
    ).iloc[0]
    assert (row["task"], row["scoring"], row["n"]) == ("t", "alpha-0.5", 300)
    assert row["max"] == pytest.approx(0.4, abs=1e-6)
    assert row["rms"] == pytest.approx(np.sqrt(0.1), abs=1e-6)
    assert row["deviation"] == pytest.approx(np.std(probes.values[:, 0] + off))
    assert row["relative"] == pytest.approx(row["rms"] / row["deviation"])


def test_a_finer_grid_has_a_smaller_error(rng):
    def wavy(states):
        return np.sin(7 * states[:, 0])

    errors = []
    for resolution in (0.1, 0.3, 1):
        states, _ = make("mountain-car", wavy, resolution)
        rewards = table(states, wavy(states.values))
        errors.append(measure_interpolation(states, rewards, *check(wavy, rng))["max"][0])
    assert errors[0] > 5 * errors[1] > 25 * errors[2] > 0


def test_a_grid_that_is_too_coarse_is_refused(rng):
    def wavy(states):
        return np.sin(40 * states[:, 0])

    states, _ = make("mountain-car", wavy, 0.1)
    errors = measure_interpolation(states, table(states, wavy(states.values)), *check(wavy, rng))
    refuse_inexact(errors, "t", "alpha-0.5", max_error=10)
    with pytest.raises(UserError, match="raise the resolution"):
        refuse_inexact(errors, "t", "alpha-0.5", max_error=0.2)
    with pytest.raises(UserError, match="not measured for task 't' and scoring alpha-0"):
        refuse_inexact(errors, "t", "alpha-0", max_error=10)


def test_takes_the_rows_of_the_task_and_scoring_in_any_order(rng):
    states = sample_grid(GridStates(sampler="grid", environment="mountain-car", resolution=0.1))
    order = rng.permutation(len(states))
    shuffled = States("mountain-car", states.values[order])
    position = shuffled.values[:, 0]
    rewards = pd.concat(
        [
            table(states, 0.0, scoring="alpha-0"),
            table(states, position, scoring="alpha-0.3"),
            table(states, 7.0, task="other", scoring="alpha-0.3"),
        ]
    ).sample(frac=1, random_state=0)
    grid = RewardGrid.from_table(shuffled, rewards, "t", "alpha-0.3")
    np.testing.assert_allclose(grid(states.values), states.values[:, 0], atol=1e-6)


def test_says_when_rewards_are_missing(cartpole):
    states, _ = cartpole
    rewards = table(states, 1.0)
    with pytest.raises(UserError, match="task 'other'"):
        RewardGrid.from_table(states, rewards, "other", "alpha-0.5")
    with pytest.raises(UserError, match=r"none of task 't' by alpha-0\.25; score them first"):
        RewardGrid.from_table(states, rewards, "t", "alpha-0.25")
    with pytest.raises(UserError, match="not one for each of the 10 states"):
        RewardGrid.from_table(States("cartpole", states.values[:10]), rewards, "t", "alpha-0.5")
    with pytest.raises(UserError, match=r"2924 of task 't'.* not one for each of the 2925"):
        RewardGrid.from_table(states, rewards[1:], "t", "alpha-0.5")


@pytest.mark.parametrize("kept", [slice(1, None), slice(0, 1), [0, 1, 1, *range(3, 2925)]])
def test_says_when_the_states_are_no_grid(cartpole, kept):
    states, _ = cartpole
    part = States("cartpole", states.values[kept])
    with pytest.raises(UserError, match="not a complete grid"):
        RewardGrid.from_table(part, table(part, 1.0), "t", "alpha-0.5")
