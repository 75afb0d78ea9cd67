"""Rewards of several members as one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmrm.epic.distances import pearson_distance
from vlmrm.rewards.aggregation import Statistics, aggregate_rewards

AGGREGATES = ("mean", "min", "pessimistic")
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(2, 5)


def case(seed, members):
    """Rewards ``[K, 9]`` of members of different scale, and their statistics on other states."""
    rng = np.random.default_rng(seed)
    scale, level = rng.uniform(0.01, 100, (members, 1)), rng.normal(size=(members, 1))
    rewards, reference = (level + scale * rng.normal(size=(members, n)) for n in (9, 20))
    return rewards, [Statistics.of(row) for row in reference]


@given(seeds, sizes, st.floats(0, 5))
def test_aggregates_are_those_computed_by_hand(seed, members, penalty):
    rewards, statistics = case(seed, members)
    found = {how: aggregate_rewards(rewards, statistics, how, penalty) for how in AGGREGATES}
    for state in range(rewards.shape[1]):
        z = [(r[state] - m) / s for r, (m, s) in zip(rewards, statistics, strict=True)]
        mean = sum(z) / members
        spread = (sum((value - mean) ** 2 for value in z) / members) ** 0.5
        assert found["mean"][state] == pytest.approx(mean, abs=1e-6)
        assert found["min"][state] == pytest.approx(min(z), abs=1e-6)
        assert found["pessimistic"][state] == pytest.approx(mean - penalty * spread, abs=1e-6)


@given(seeds, sizes, st.sampled_from(AGGREGATES))
def test_equal_members_give_their_standardized_reward(seed, members, how):
    rewards, (statistics, *_) = case(seed, 1)
    alone = (rewards[0] - statistics.mean) / statistics.std
    together = aggregate_rewards([rewards[0]] * members, [statistics] * members, how)
    np.testing.assert_allclose(together, alone, atol=1e-6)


@given(seeds, sizes, st.sampled_from(AGGREGATES), st.floats(0.01, 100), st.floats(-10, 10))
def test_scale_and_level_of_a_member_do_not_matter(seed, members, how, factor, offset):
    rng = np.random.default_rng(seed)
    rewards, reference = rng.normal(size=(members, 9)), rng.normal(size=(members, 20))
    before = aggregate_rewards(rewards, [Statistics.of(row) for row in reference], how)
    for rows in (rewards, reference):
        rows[0] = factor * rows[0] + offset
    after = aggregate_rewards(rewards, [Statistics.of(row) for row in reference], how)
    np.testing.assert_allclose(after, before, atol=1e-6)


@given(seeds, sizes, st.sampled_from(AGGREGATES))
def test_the_order_of_members_does_not_matter(seed, members, how):
    rewards, statistics = case(seed, members)
    turned = aggregate_rewards(rewards[::-1], statistics[::-1], how)
    np.testing.assert_allclose(turned, aggregate_rewards(rewards, statistics, how), atol=1e-6)


@given(seeds, sizes, st.floats(0, 5))
def test_doubt_never_raises_a_reward(seed, members, penalty):
    rewards, statistics = case(seed, members)
    mean = aggregate_rewards(rewards, statistics, "mean")
    assert (aggregate_rewards(rewards, statistics, "min") <= mean + 1e-9).all()
    pessimistic = aggregate_rewards(rewards, statistics, "pessimistic", penalty)
    assert (pessimistic <= mean + 1e-9).all()
    np.testing.assert_allclose(aggregate_rewards(rewards, statistics, "pessimistic", 0), mean)


@given(seeds)
def test_a_single_member_has_the_epic_distance_of_its_reward(seed):
    rewards, statistics = case(seed, 1)
    labels = np.arange(rewards.shape[1]) % 3 == 0
    alone = aggregate_rewards(rewards, statistics)
    distance = pearson_distance(rewards[0], labels)
    assert pearson_distance(alone, labels) == pytest.approx(distance, abs=1e-6)


@pytest.mark.parametrize("rewards", [[0.3] * 5, [1e6, 1e6 + 0.1], [], [0, np.nan]])
def test_a_member_that_says_nothing_has_no_scale(rewards):
    with pytest.raises(ValueError, match=r"all reference states have the same reward|NaN"):
        Statistics.of(rewards)


def test_unusable_statistics_are_refused():
    rewards = np.ones((2, 3))
    with pytest.raises(ValueError, match="2 members, but statistics of 1"):
        aggregate_rewards(rewards, [(0, 1)])
    with pytest.raises(ValueError, match="must be above 0"):
        aggregate_rewards(rewards, [(0, 1), (0, 0)])
