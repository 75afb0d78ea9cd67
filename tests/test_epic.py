import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from vlmrm.epic import (
    MEASURES,
    auroc,
    canonical_shaping,
    class_balanced_distance,
    epic_distance,
    measure_epic,
    pearson_distance,
    spearman,
    tabulate,
)

quick = settings(max_examples=50, deadline=None)

numbers = st.floats(-100, 100).map(lambda x: round(x, 3))
scales = st.floats(1e-3, 1e3)
offsets = st.floats(-1e2, 1e2)


def varied(shape):
    return arrays(np.float64, shape, elements=numbers).filter(lambda x: np.ptp(x) > 0.1)


@st.composite
def rewards_and_labels(draw):
    n = draw(st.integers(4, 30))
    labels = draw(arrays(np.bool_, n).filter(lambda y: 0 < y.sum() < len(y)))
    return draw(varied(n)), labels


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# --- Pearson distance ---------------------------------------------------------------------------


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


def test_a_small_but_real_spread_is_not_taken_for_a_constant(rng):
    x = rng.uniform(0, 1, 50)
    y = x + rng.uniform(0, 1, 50)
    close = pearson_distance(0.25 + 1e-4 * x, y)
    assert close == pytest.approx(pearson_distance(x, y), abs=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "weights", "message"),
    [
        ([1, 2, np.nan], [1, 2, 3], None, "x holds NaN"),
        ([1, 2, 3], [1, np.inf, 3], None, "y holds NaN or infinity"),
        ([1, 2, 3], [1, 2], None, "differ in shape"),
        ([1, 2, 3], [1, 2, 4], [1, -1, 1], "not be negative"),
        ([1, 2, 3], [1, 2, 4], [0, 0, 0], "nor all zero"),
        ([1, 2, 3], [1, 2, 4], [1, 1], "weights have shape"),
        ([1, 2, 3], [1, 2, 4], [1, np.nan, 1], "weights holds NaN"),
        ([1, 1, 3], [1, 2, 4], [1, 1, 0], "x is constant"),
        ([], [], None, "nor all zero"),
    ],
)
def test_pearson_distance_refuses(x, y, weights, message):
    with pytest.raises(ValueError, match=message):
        pearson_distance(x, y, weights)


# --- general definition -------------------------------------------------------------------------

S, A = 4, 2
tables = varied((S, A, S))
distributions = arrays(np.float64, S, elements=st.floats(0.05, 1))
discounts = st.floats(0, 1)


def shape(table, potential, discount):
    return table + discount * potential - potential[:, None, None]


@quick
@given(tables, distributions, discounts)
def test_canonical_shaping_follows_the_definition(table, weights, discount):
    p = weights / weights.sum()
    expected = np.empty_like(table)
    for s, a, t in np.ndindex(table.shape):
        expected[s, a, t] = table[s, a, t] + sum(
            p[u]
            * p[v]
            / A
            * (discount * table[t, b, v] - table[s, b, v] - discount * table[u, b, v])
            for u, b, v in np.ndindex(table.shape)
        )
    shaped = canonical_shaping(table, discount, weights)
    np.testing.assert_allclose(shaped, expected, atol=1e-9)


@quick
@given(tables, varied(S), distributions, discounts)
def test_canonical_shaping_removes_potentials(table, potential, weights, discount):
    shaped = canonical_shaping(shape(table, potential, discount), discount, weights)
    expected = canonical_shaping(table, discount, weights)
    np.testing.assert_allclose(shaped, expected, atol=1e-9)


@quick
@given(tables, tables, varied(S), scales, offsets, distributions, discounts)
def test_epic_ignores_shaping_and_positive_scale(
    first, second, potential, scale, offset, weights, discount
):
    for table in (first, second):
        assume(np.ptp(canonical_shaping(table, discount, weights)) > 0.1)

    def distance(x, y):
        return epic_distance(x, y, discount, state_weights=weights)

    original = distance(first, second)
    assert 0 <= original <= 1
    assert distance(second, first) == pytest.approx(original, abs=1e-12)
    changed = shape(scale * first + offset, scale * potential, discount)
    assert distance(changed, second) == pytest.approx(original, abs=1e-6)
    assert distance(changed, first) == pytest.approx(0, abs=1e-6)
    assert distance(-changed, first) == pytest.approx(1, abs=1e-6)


def test_without_canonical_shaping_a_potential_would_matter(rng):
    table, potential = rng.normal(size=(S, A, S)), 5 * rng.normal(size=S)
    shaped = shape(table, potential, 0.9)
    assert pearson_distance(table, shaped) > 0.2
    assert epic_distance(table, shaped, 0.9) == pytest.approx(0, abs=1e-9)


@quick
@given(varied(S), varied(S), distributions, discounts)
def test_rewards_of_the_next_state_need_no_shaping(x, y, weights, discount):
    first, second = (np.broadcast_to(r, (S, A, S)) for r in (x, y))
    expected = pearson_distance(x, y, weights)
    found = epic_distance(first, second, discount, state_weights=weights)
    assert found == pytest.approx(expected, abs=1e-9)


def test_transition_weights_say_where_rewards_are_compared(rng):
    first, second = rng.normal(size=(2, S, A, S))
    covered = np.zeros((S, A, S))
    covered[0, 1, :] = 1
    shaped = [canonical_shaping(table, 0.9)[0, 1] for table in (first, second)]
    found = epic_distance(first, second, 0.9, transition_weights=covered)
    assert found == pytest.approx(pearson_distance(*shaped), abs=1e-12)


def test_tabulate_evaluates_every_transition():
    states, actions = np.array([[1.0, 10], [2, 20], [3, 30]]), np.array([0.1, 0.2])
    table = tabulate(lambda s, a, t: 100 * s[:, 0] + a + t[:, 1], states, actions)
    assert table.shape == (3, 2, 3)
    assert table[1, 0, 2] == pytest.approx(200 + 0.1 + 30)
    assert table[2, 1, 0] == pytest.approx(300 + 0.2 + 10)


def test_epic_of_callables(rng):
    states, actions = rng.normal(size=(6, 2)), rng.normal(size=3)

    def sparse(s, a, t):
        return (t[:, 0] > 0) - 0.1 * a**2

    def shaped(s, a, t):
        return 3 * (sparse(s, a, t) + 0.9 * t[:, 1] - s[:, 1])

    first, second = (tabulate(r, states, actions) for r in (sparse, shaped))
    assert epic_distance(first, second, 0.9) == pytest.approx(0, abs=1e-9)
    assert epic_distance(first, second, 0.5) > 0.01


@pytest.mark.parametrize(
    ("table", "discount", "weights", "message"),
    [
        (np.zeros((2, 3)), 0.9, None, "shape"),
        (np.zeros((2, 1, 3)), 0.9, None, "shape"),
        (np.full((2, 1, 2), np.nan), 0.9, None, "NaN"),
        (np.zeros((2, 1, 2)), 1.1, None, "discount"),
        (np.zeros((2, 1, 2)), np.nan, None, "discount"),
        (np.zeros((2, 1, 2)), 0.9, [1, -1], "negative"),
        (np.zeros((2, 1, 2)), 0.9, [1, 1, 1], "weights have shape"),
    ],
)
def test_canonical_shaping_refuses(table, discount, weights, message):
    with pytest.raises(ValueError, match=message):
        canonical_shaping(table, discount, weights)


@pytest.mark.parametrize("scale", [0, 1e-3, 1e3])
def test_mere_shaping_is_refused(rng, scale):
    nothing = shape(np.zeros((S, A, S)), scale * rng.normal(size=S), 0.9)
    with pytest.raises(ValueError, match="second is constant after canonical shaping"):
        epic_distance(rng.normal(size=(S, A, S)), nothing, 0.9)


# --- companions ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize("measure", [class_balanced_distance, auroc, spearman])
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


# --- table with intervals -----------------------------------------------------------------------


def sample(rng, n=200, signal=1.0, p=0.3):
    labels = rng.random(n) < p
    return rng.normal(size=n) + signal * labels, labels


def interval(row, name):
    return row[f"{name}_low"], row[f"{name}_high"]


def test_table_holds_every_measure_with_its_interval(rng):
    rewards, labels = sample(rng)
    table = measure_epic({0.0: rewards, 0.5: rewards - 2 * labels}, labels)
    columns = [f"{m}{end}" for m in MEASURES for end in ("", "_low", "_high")]
    assert list(table.columns) == ["alpha", "n", "p", *columns]
    assert list(table["alpha"]) == [0.0, 0.5]
    assert (table["n"] == 200).all()
    assert table["p"].to_numpy() == pytest.approx(labels.mean())
    first = table.iloc[0]
    assert first["epic"] == pearson_distance(rewards, labels)
    assert first["epic_balanced"] == class_balanced_distance(rewards, labels)
    assert first["auroc"] == auroc(rewards, labels)
    assert first["spearman"] == spearman(rewards, labels)
    for _, row in table.iterrows():
        for measure in MEASURES:
            low, high = interval(row, measure)
            assert low < row[measure] < high
    assert table["epic"][0] < table["epic"][1]


@pytest.mark.parametrize("digits", [0, 9])
@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_are_those_of_replicated_states(rng, digits, clustered):
    """Against resamples that are really made, state by state, and measured one at a time."""
    rewards, labels = sample(rng, n=60)
    rewards = rewards.round(digits)
    clusters = np.arange(60) // 4 if clustered else np.arange(60)
    row = measure_epic(
        {0: rewards}, labels, clusters if clustered else None, bootstrap=150, seed=3
    ).iloc[0]

    n = clusters.max() + 1
    drawn = np.random.default_rng(3).multinomial(n, np.full(n, 1 / n), size=150)
    resamples = [
        (np.repeat(rewards, counts), np.repeat(labels, counts)) for counts in drawn[:, clusters]
    ]
    functions = (pearson_distance, class_balanced_distance, auroc, spearman)
    for name, function in zip(MEASURES, functions, strict=True):
        values = [function(*resample) for resample in resamples]
        expected = np.quantile(values, (0.025, 0.975))
        assert interval(row, name) == pytest.approx(tuple(expected), abs=1e-9)


def test_intervals_cover_the_truth(rng):
    population = sample(rng, n=40_000)
    truth = {
        "epic": pearson_distance(*population),
        "epic_balanced": class_balanced_distance(*population),
        "auroc": auroc(*population),
        "spearman": spearman(*population),
    }
    covered = dict.fromkeys(MEASURES, 0)
    trials = 300
    for trial in range(trials):
        rewards, labels = sample(rng, n=300)
        row = measure_epic({0: rewards}, labels, bootstrap=300, seed=trial).iloc[0]
        for name in MEASURES:
            low, high = interval(row, name)
            covered[name] += low <= truth[name] <= high
    for name, count in covered.items():
        assert 0.9 <= count / trials <= 0.99, name


def test_dependent_states_widen_the_interval(rng):
    rewards, labels = sample(rng, n=40)
    copies = np.repeat(rewards, 20), np.repeat(labels, 20)
    clusters = np.repeat([f"trajectory {i}" for i in range(40)], 20)
    alone = measure_epic({0: rewards}, labels).iloc[0]
    naive = measure_epic({0: copies[0]}, copies[1]).iloc[0]
    grouped = measure_epic({0: copies[0]}, copies[1], clusters).iloc[0]
    for name in MEASURES:
        independent, ignored, respected = (
            np.ptp(interval(row, name)) for row in (alone, naive, grouped)
        )
        assert respected == pytest.approx(independent, rel=0.25)
        assert ignored < 0.4 * respected


def test_same_seed_same_table(rng):
    rewards, labels = sample(rng)
    first, again, other = (
        measure_epic({0: rewards}, labels, bootstrap=50, seed=seed) for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_many_states_are_worked_on_in_parts_without_a_difference(rng, monkeypatch):
    rewards, labels = sample(rng)
    whole = measure_epic({0: rewards}, labels, bootstrap=40)
    monkeypatch.setattr("vlmrm.epic.CHUNK", 7 * len(labels))
    in_parts = measure_epic({0: rewards}, labels, bootstrap=40)
    np.testing.assert_allclose(in_parts, whole, atol=1e-12)


def test_resamples_with_one_class_are_left_out():
    rewards, labels = np.array([0.0, 1, 2, 3, 4, 9]), np.array([0, 0, 0, 0, 0, 1])
    row = measure_epic({0: rewards}, labels).iloc[0]
    assert np.isfinite(row.to_numpy()).all()
    assert interval(row, "auroc") == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({}, [0, 1, 1]), "no rewards"),
        (({0.5: [1, 1, 1]}, [0, 1, 1]), "alpha 0.5: the reward is constant"),
        (({0.5: [1, 2, np.nan]}, [0, 1, 1]), "alpha 0.5: rewards holds NaN"),
        (({0.5: [1, 2]}, [0, 1, 1]), "alpha 0.5: rewards and labels differ"),
        (({0.5: [1, 2, 3]}, [1, 1, 1]), "all labels are the same"),
        (({0.5: [1, 2, 3]}, [0, 1, 1], [0, 1]), "clusters and labels differ"),
        (({0.5: [1, 2, 3]}, [0, 1, 1], [4, 4, 4]), "at least two"),
        (({0.5: [0, 9, *range(8)]}, [1] + 9 * [0], [0] + 9 * [1], 1, 3), "none of the 1 resamples"),
        (({0.5: [1, 2, 3]}, [0, 1, 1], None, 0), "bootstrap must be at least 1"),
    ],
)
def test_measure_epic_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        measure_epic(*arguments)
