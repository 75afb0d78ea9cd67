"""The gold of the best of n."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmrm.optimization.best_of_n import (
    best_of_n,
    best_of_n_flipped,
    measure_best_of_n,
    sizes_up_to,
)

levels = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=7)


@given(levels)
def test_it_is_the_mean_over_all_draws(states):
    """By enumeration; of equal rewards in a draw, each is the best equally often."""
    proxy, gold = np.array(states, dtype=float).T
    for n in range(1, len(proxy) + 1):
        draws = [list(rows) for rows in itertools.combinations(range(len(proxy)), n)]
        best = [gold[rows][proxy[rows] == proxy[rows].max()].mean() for rows in draws]
        assert best_of_n(proxy, gold, [n])[0] == pytest.approx(np.mean(best), abs=1e-9)


@given(levels)
def test_the_best_of_one_is_the_mean_and_of_all_the_gold_of_the_highest_reward(states):
    proxy, gold = np.array(states, dtype=float).T
    first, last = best_of_n(proxy, gold, [1, len(proxy)])
    assert first == pytest.approx(gold.mean())
    assert last == pytest.approx(gold[proxy == proxy.max()].mean())


@given(levels, st.floats(0.1, 10), st.floats(-5, 5))
def test_only_the_order_of_the_rewards_matters(states, scale, shift):
    proxy, gold = np.array(states, dtype=float).T
    sizes = range(1, len(proxy) + 1)
    changed = np.exp(scale * proxy / 10) + shift
    np.testing.assert_allclose(best_of_n(changed, gold, sizes), best_of_n(proxy, gold, sizes))


def test_a_perfect_proxy_rises_and_its_opposite_falls():
    gold = np.arange(100.0)
    sizes = sizes_up_to(100)
    assert np.all(np.diff(best_of_n(gold, gold, sizes)) > 0)
    assert np.all(np.diff(best_of_n(-gold, gold, sizes)) < 0)


def test_a_constant_proxy_chooses_at_random():
    gold = np.array([0, 1, 1, 0, 1.0])
    np.testing.assert_allclose(best_of_n(np.ones(5), gold, [1, 2, 5]), 0.6)


def test_it_stays_exact_for_many_states():
    rng = np.random.default_rng(0)
    proxy = rng.normal(size=50_000)
    # The best of n uniform numbers is n / (n + 1) on average.
    uniform = np.argsort(np.argsort(proxy)) / len(proxy)
    sizes = np.array([1, 2, 8, 1024])
    np.testing.assert_allclose(best_of_n(proxy, uniform, sizes), sizes / (sizes + 1), atol=1e-4)


def test_the_sizes_are_powers_of_two_and_the_largest():
    assert sizes_up_to(1).tolist() == [1]
    assert sizes_up_to(8).tolist() == [1, 2, 4, 8]
    assert sizes_up_to(10).tolist() == [1, 2, 4, 8, 10]


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    covered = []
    for trial in range(60):
        rng = np.random.default_rng(trial)
        proxy = rng.normal(size=200)
        gold = (proxy + rng.normal(size=200) > 0).astype(float)
        table = measure_best_of_n({"alpha-0": proxy}, gold, bootstrap=200, seed=trial)
        row = table[table["n"] == 4].iloc[0]
        covered.append(row["gold_low"] <= 0.79992 <= row["gold_high"])
    # The truth is from five million draws.
    assert np.mean(covered) > 0.85


def test_states_of_a_trajectory_are_drawn_together():
    rng = np.random.default_rng(1)
    proxy, gold = rng.normal(size=50).repeat(40), rng.integers(0, 2, 50).repeat(40)
    widths = []
    for clusters in (None, np.arange(50).repeat(40)):
        table = measure_best_of_n({"alpha-0": proxy}, gold, clusters, bootstrap=200)
        row = table[table["n"] == 4].iloc[0]
        widths.append(row["gold_high"] - row["gold_low"])
    assert widths[1] > 3 * widths[0]
    assert table["n"].max() == 5


def test_a_few_trajectories_without_failure_do_not_exclude_failures():
    proxy, gold = np.arange(40.0), np.repeat([0.0, 1.0], 20)
    table = measure_best_of_n({"alpha-0": proxy, "alpha-1": -proxy}, gold, bootstrap=50)
    best, worst = table[table["n"] == 4].to_dict("records")
    assert best["gold"] > 0.9 and worst["gold"] < 0.1
    # Forty states are ten draws of four: 0.74^10 = 0.05.
    assert best["gold_low"] <= 0.05**0.1 and worst["gold_high"] >= 1 - 0.05**0.1


def test_every_scoring_has_its_rows():
    gold = np.array([0, 1] * 20)
    table = measure_best_of_n({"alpha-0": gold, "alpha-1": -gold}, gold, bootstrap=20)
    assert list(table) == ["scoring", "n", "gold", "gold_low", "gold_high"]
    assert table.groupby("scoring")["n"].apply(list).tolist() == [[1, 2, 4]] * 2
    assert (table["gold_low"] <= table["gold"]).all() and (
        table["gold"] <= table["gold_high"]
    ).all()


@pytest.mark.parametrize(("prevalence", "share"), [(0.1, 0.1), (0.5, 0.2), (0.02, 0.05)])
def test_flipped_verdicts_give_the_curve_that_is_computed_by_hand(prevalence, share):
    rng = np.random.default_rng(0)
    sizes = [1, 2, 4, 16, 64]
    curves = []
    for _ in range(40):
        gold = rng.random(20_000) < prevalence
        verdicts = gold != (rng.random(20_000) < share)
        curves.append(best_of_n(verdicts, gold, sizes))
    expected = best_of_n_flipped(prevalence, share, sizes)
    np.testing.assert_allclose(np.mean(curves, axis=0), expected, atol=0.01)


@given(st.floats(0, 1), st.floats(0.01, 0.49))
def test_flipped_verdicts_begin_at_the_mean_and_end_at_their_precision(prevalence, share):
    first, last = best_of_n_flipped(prevalence, share, [1, 100_000])
    accepted = prevalence * (1 - share) + (1 - prevalence) * share
    assert first == pytest.approx(prevalence)
    assert last == pytest.approx(prevalence * (1 - share) / accepted)


@pytest.mark.parametrize(
    ("proxy", "gold", "sizes", "message"),
    [
        ([1, 2], [0, 1], [3], "between 1 and 2"),
        ([1, 2], [0, 1], [0], "between 1 and 2"),
        ([1, np.nan], [0, 1], [1], "NaN"),
        ([1, 2], [0, 1, 1], [1], "differ in shape"),
    ],
)
def test_unusable_input_is_refused(proxy, gold, sizes, message):
    with pytest.raises(ValueError, match=message):
        best_of_n(proxy, gold, sizes)
