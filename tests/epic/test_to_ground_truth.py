import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vlmrm.epic import canonical_shaping, epic_distance, measure_ground_truth

from .strategies import quick, varied

S, A = 6, 3
tables = varied((S, A, S))


def of_next_state(rewards):
    return np.broadcast_to(np.asarray(rewards), (S, A, S))


@quick
@given(varied(S), tables, st.floats(0, 1))
def test_distances_follow_the_general_definition(rewards, reference, discount):
    shaped = canonical_shaping(reference, discount)
    assume(np.ptp(shaped) > 1e-3 * np.abs(reference).max())
    table = measure_ground_truth({"alpha-0.5": rewards}, reference, discount, bootstrap=5)
    expected = epic_distance(of_next_state(rewards), reference, discount)
    assert table["epic_ground_truth"][0] == pytest.approx(expected, abs=1e-6)


def test_the_same_reward_has_distance_zero_and_its_negation_one(rng):
    rewards = rng.normal(size=S)
    same, opposite = (
        measure_ground_truth(
            {"alpha-0": sign * rewards}, of_next_state(rewards), 0.9, bootstrap=20
        ).iloc[0]
        for sign in (1, -1)
    )
    assert same["epic_ground_truth"] == pytest.approx(0, abs=1e-6)
    assert same["epic_ground_truth_high"] == pytest.approx(0, abs=1e-6)
    assert opposite["epic_ground_truth"] == pytest.approx(1, abs=1e-9)


def test_shaping_of_the_reference_does_not_matter(rng):
    rewards, reference, potential = (
        rng.normal(size=S),
        rng.normal(size=(S, A, S)),
        rng.normal(size=S),
    )
    shaped = 3 * reference + 0.9 * potential - potential[:, None, None]
    first, second = (
        measure_ground_truth({"alpha-0": rewards}, r, 0.9, bootstrap=20)
        for r in (reference, shaped)
    )
    pd.testing.assert_frame_equal(first, second, rtol=0, atol=1e-9)


def test_rewards_that_hardly_vary_are_measured(rng):
    rewards, reference = rng.normal(size=S), rng.normal(size=(S, A, S))
    hardly = 1 + 5e-7 * rewards / np.ptp(rewards)
    first, second = (
        measure_ground_truth({"alpha-0": r}, reference, 0.9, bootstrap=20)
        for r in (rewards, hardly)
    )
    pd.testing.assert_frame_equal(first, second, rtol=0, atol=1e-6)


def test_intervals_are_those_of_resampled_states(rng):
    rewards, reference = rng.normal(size=S), rng.normal(size=(S, A, S))
    table = measure_ground_truth({"alpha-0": rewards}, reference, 0.9, bootstrap=200, seed=3)
    drawn = np.random.default_rng(3).multinomial(S, np.full(S, 1 / S), size=200)
    distances = [epic_distance(of_next_state(rewards), reference, 0.9, counts) for counts in drawn]
    interval = table[["epic_ground_truth_low", "epic_ground_truth_high"]].iloc[0]
    np.testing.assert_allclose(interval, np.quantile(distances, (0.025, 0.975)), atol=1e-9)


def test_states_of_a_trajectory_are_drawn_together(rng):
    rewards, reference = rng.normal(size=S), rng.normal(size=(S, A, S))
    thrice = np.repeat(np.arange(S), 3)
    alone, copied = (
        measure_ground_truth(
            {"alpha-0": rewards[rows]},
            reference[np.ix_(rows, np.arange(A), rows)],
            0.9,
            bootstrap=50,
            clusters=rows,
        )
        for rows in (np.arange(S), thrice)
    )
    pd.testing.assert_frame_equal(alone, copied, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("rewards", "reference", "bootstrap", "message"),
    [
        (np.ones(S), np.arange(S * A * S).reshape(S, A, S), 10, "alpha-0: the reward is constant"),
        (np.arange(S), np.ones((S, A, S)), 10, "constant after canonical shaping"),
        (np.arange(S), np.ones((S, A)), 10, r"shape \[S, A, S\]"),
        (np.full(S, np.nan), np.ones((S, A, S)), 10, "NaN"),
        (np.arange(S), np.arange(S * A * S).reshape(S, A, S), 0, "bootstrap"),
    ],
)
def test_unusable_input_is_refused(rewards, reference, bootstrap, message):
    with pytest.raises(ValueError, match=message):
        measure_ground_truth({"alpha-0": rewards}, reference, 0.9, bootstrap)
