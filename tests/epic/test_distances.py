import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from vlmrm.epic import auroc, class_balanced_distance, fooled, pearson_distance, spearman

from .strategies import offsets, quick, rewards_and_labels, scales, varied


def test_published_values():
    labels = [0, 0, 1, 1]
    assert pearson_distance([0, 1, 2, 3], labels) == pytest.approx(0.2297529205, abs=1e-10)
    assert pearson_distance([5, 5, 7, 7], labels) == pytest.approx(0, abs=1e-9)
    assert pearson_distance([1, 1, 0, 0], labels) == pytest.approx(1, abs=1e-9)
    assert pearson_distance([0, 1, 0, 1], labels) == pytest.approx(0.7071067812, abs=1e-10)


@quick
@given(varied(12), varied(12))
def test_pearson_distance_follows_the_correlation(x, y):
    expected = np.sqrt(max(0, 1 - stats.pearsonr(x, y)[0]) / 2)
    assert pearson_distance(x, y) == pytest.approx(expected, abs=1e-6)


@quick
@given(varied(8), varied(8), scales, offsets)
def test_pearson_distance_is_a_symmetric_distance_of_affine_classes(x, y, scale, offset):
    distance = pearson_distance(x, y)
    assert 0 <= distance <= 1
    assert pearson_distance(y, x) == pytest.approx(distance, abs=1e-12)
    assert pearson_distance(scale * x + offset, y) == pytest.approx(distance, abs=1e-9)
    assert pearson_distance(x, scale * x + offset) == pytest.approx(0, abs=1e-9)
    assert pearson_distance(x, offset - scale * x) == pytest.approx(1, abs=1e-9)


@quick
@given(varied(8), varied(8), varied(8))
def test_pearson_distance_obeys_the_triangle_inequality(x, y, z):
    assert pearson_distance(x, z) <= pearson_distance(x, y) + pearson_distance(y, z) + 1e-12


@quick
@given(varied(6), varied(6), arrays(np.int64, 6, elements=st.integers(0, 5)), scales)
def test_weighted_equals_replicated(x, y, counts, scale):
    copies_x, copies_y = np.repeat(x, counts), np.repeat(y, counts)
    assume(counts.any() and np.ptp(copies_x) > 0.1 and np.ptp(copies_y) > 0.1)
    weighted = pearson_distance(x, y, scale * counts)
    assert weighted == pytest.approx(pearson_distance(copies_x, copies_y), abs=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1e9, 1e200])
def test_the_unit_of_the_reward_does_not_matter(scale):
    x = scale * np.array([0.0, 1, 2, 3])
    assert pearson_distance(x, [0, 0, 1, 1]) == pytest.approx(0.2297529205, abs=1e-10)


@pytest.mark.parametrize("level", [0.0, 0.25, -3.0])
def test_a_constant_is_refused_even_with_rounding_errors(rng, level):
    constant = np.float32(level) * (1 + 1e-7 * rng.uniform(-1, 1, 20)).astype(np.float32)
    labels = np.arange(20) % 2
    for measure in (pearson_distance, class_balanced_distance, spearman):
        with pytest.raises(ValueError, match="is constant up to rounding"):
            measure(constant, labels)


def test_a_small_but_real_spread_does_not_count_as_constant(rng):
    x = rng.uniform(0, 1, 50)
    y = x + rng.uniform(0, 1, 50)
    close = pearson_distance(0.25 + 1e-4 * x, y)
    assert close == pytest.approx(pearson_distance(x, y), abs=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "weights", "message"),
    [
        ([1, 2, np.nan], [1, 2, 3], None, "x contains NaN"),
        ([1, 2, 3], [1, np.inf, 3], None, "y contains NaN or infinity"),
        ([1, 2, 3], [1, 2], None, "differ in shape"),
        ([1, 2, 3], [1, 2, 4], [1, -1, 1], "neither negative"),
        ([1, 2, 3], [1, 2, 4], [0, 0, 0], "nor all zero"),
        ([1, 2, 3], [1, 2, 4], [1, 1], "weights have shape"),
        ([1, 2, 3], [1, 2, 4], [1, np.nan, 1], "weights contains NaN"),
        ([1, 1, 3], [1, 2, 4], [1, 1, 0], "x is constant"),
        ([], [], None, "nor all zero"),
    ],
)
def test_pearson_distance_refuses(x, y, weights, message):
    with pytest.raises(ValueError, match=message):
        pearson_distance(x, y, weights)


@quick
@given(rewards_and_labels(), st.integers(2, 5))
def test_balanced_distance_is_independent_of_the_class_frequency(data, copies):
    rewards, labels = data
    counts = np.where(labels, copies, 1)
    many = np.repeat(rewards, counts), np.repeat(labels, counts)
    assert class_balanced_distance(*many) == pytest.approx(
        class_balanced_distance(rewards, labels), abs=1e-9
    )


def test_plain_distance_depends_on_the_class_frequency(rng):
    rewards, labels = rng.normal(size=40), np.arange(40) < 20
    rewards[labels] += 1
    rarer = labels & (np.arange(40) % 5 == 0) | ~labels
    assert pearson_distance(rewards[rarer], labels[rarer]) > 0.03 + class_balanced_distance(
        rewards[rarer], labels[rarer]
    )
    assert class_balanced_distance(rewards, labels) == pytest.approx(
        pearson_distance(rewards, labels)
    )


@quick
@given(rewards_and_labels())
def test_rank_measures_agree_with_scipy(data):
    rewards, labels = data
    wins = stats.mannwhitneyu(rewards[labels], rewards[~labels]).statistic
    assert auroc(rewards, labels) == pytest.approx(wins / labels.sum() / (~labels).sum())
    assert spearman(rewards, labels) == pytest.approx(
        stats.spearmanr(rewards, labels).statistic, abs=1e-12
    )


def test_rank_measures_ignore_monotone_maps(rng):
    rewards, labels = rng.normal(size=30), rng.random(30) < 0.4
    assert auroc(np.exp(rewards), labels) == auroc(rewards, labels)
    assert spearman(np.exp(rewards), labels) == pytest.approx(spearman(rewards, labels))


def test_auroc_of_the_extremes():
    assert auroc([1, 2, 3, 4], [0, 0, 1, 1]) == 1
    assert auroc([1, 2, 3, 4], [1, 1, 0, 0]) == 0
    assert auroc([7, 7, 7, 7], [1, 1, 0, 0]) == 0.5


def test_fooled_counts_failures_that_are_rewarded_like_a_good_success():
    rewards, labels = [1, 2, 3, 4, 5, 6, 7], [0, 1, 0, 1, 0, 1, 0]  # median of successes: 4
    assert fooled(rewards, labels) == 2 / 4
    assert fooled(rewards, [0, 0, 0, 0, 1, 1, 1]) == 0
    assert fooled([7, 7, 7, 7], [1, 0, 0, 0]) == 3 / 4
    assert fooled(np.exp(rewards), labels) == fooled(rewards, labels)


@pytest.mark.parametrize("measure", [class_balanced_distance, auroc, spearman, fooled])
@pytest.mark.parametrize(
    ("rewards", "labels", "message"),
    [
        ([1, 2, 3], [1, 1, 1], "labels are the same"),
        ([1, 2, 3], [0, 0, 0], "labels are the same"),
        ([1, np.nan, 3], [0, 1, 0], "NaN"),
        ([1, 2], [0, 1, 0], "differ in shape"),
        ([1, 2, 3], [0, 0.5, 1], "true and false"),
        ([1, 2, 3], [0, np.nan, 1], "true and false"),
    ],
)
def test_companions_refuse(measure, rewards, labels, message):
    with pytest.raises(ValueError, match=message):
        measure(rewards, labels)
