import numpy as np
import pandas as pd
import pytest

from vlmrm.epic import (
    MEASURES,
    auroc,
    class_balanced_distance,
    fooled,
    measure_epic,
    pearson_distance,
    spearman,
)


def sample(rng, n=200, signal=1.0, p=0.3):
    labels = rng.random(n) < p
    return rng.normal(size=n) + signal * labels, labels


def interval(row, name):
    return row[f"{name}_low"], row[f"{name}_high"]


def test_the_table_has_every_measure_with_its_interval(rng):
    rewards, labels = sample(rng)
    table = measure_epic({"alpha-0": rewards, "alpha-0.5": rewards - 2 * labels}, labels)
    columns = [f"{m}{end}" for m in MEASURES for end in ("", "_low", "_high")]
    assert list(table.columns) == ["scoring", "n", "p", *columns]
    assert list(table["scoring"]) == ["alpha-0", "alpha-0.5"]
    assert (table["n"] == 200).all()
    assert table["p"].to_numpy() == pytest.approx(labels.mean())
    first = table.iloc[0]
    assert first["epic"] == pearson_distance(rewards, labels)
    assert first["epic_balanced"] == class_balanced_distance(rewards, labels)
    assert first["auroc"] == auroc(rewards, labels)
    assert first["spearman"] == spearman(rewards, labels)
    assert first["fooled"] == fooled(rewards, labels)
    for _, row in table.iterrows():
        for measure in MEASURES:
            low, high = interval(row, measure)
            assert low < row[measure] < high
    assert table["epic"][0] < table["epic"][1]


@pytest.mark.parametrize("digits", [0, 9])
@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_are_those_of_replicated_states(rng, digits, clustered):
    """Compares with explicit resamples of states, measured one at a time."""
    rewards, labels = sample(rng, n=60)
    rewards = rewards.round(digits)
    clusters = np.arange(60) // 4 if clustered else np.arange(60)
    row = measure_epic(
        {"alpha-0": rewards}, labels, clusters if clustered else None, bootstrap=150, seed=3
    ).iloc[0]

    n = clusters.max() + 1
    drawn = np.random.default_rng(3).multinomial(n, np.full(n, 1 / n), size=150)
    resamples = [
        (np.repeat(rewards, counts), np.repeat(labels, counts)) for counts in drawn[:, clusters]
    ]
    functions = (pearson_distance, class_balanced_distance, auroc, spearman, fooled)
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
        "fooled": fooled(*population),
    }
    covered = dict.fromkeys(MEASURES, 0)
    trials = 300
    for trial in range(trials):
        rewards, labels = sample(rng, n=300)
        row = measure_epic({"alpha-0": rewards}, labels, bootstrap=300, seed=trial).iloc[0]
        for name in MEASURES:
            low, high = interval(row, name)
            covered[name] += low <= truth[name] <= high
    for name, count in covered.items():
        assert 0.9 <= count / trials <= 0.99, name


def test_dependent_states_widen_the_interval(rng):
    rewards, labels = sample(rng, n=40)
    copies = np.repeat(rewards, 20), np.repeat(labels, 20)
    clusters = np.repeat([f"trajectory {i}" for i in range(40)], 20)
    alone = measure_epic({"alpha-0": rewards}, labels).iloc[0]
    naive = measure_epic({"alpha-0": copies[0]}, copies[1]).iloc[0]
    grouped = measure_epic({"alpha-0": copies[0]}, copies[1], clusters).iloc[0]
    for name in MEASURES:
        independent, ignored, respected = (
            np.ptp(interval(row, name)) for row in (alone, naive, grouped)
        )
        assert respected == pytest.approx(independent, rel=0.25)
        assert ignored < 0.4 * respected


def test_same_seed_same_table(rng):
    rewards, labels = sample(rng)
    first, again, other = (
        measure_epic({"alpha-0": rewards}, labels, bootstrap=50, seed=seed) for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_processing_in_chunks_makes_no_difference(rng, monkeypatch):
    rewards, labels = sample(rng)
    whole = measure_epic({"alpha-0": rewards}, labels, bootstrap=40)
    monkeypatch.setattr("vlmrm.epic.to_labels.CHUNK", 7 * len(labels))
    in_parts = measure_epic({"alpha-0": rewards}, labels, bootstrap=40)
    pd.testing.assert_frame_equal(in_parts, whole, rtol=0, atol=1e-12)


def test_resamples_with_one_class_are_left_out():
    rewards, labels = np.array([0.0, 1, 2, 3, 4, 9]), np.array([0, 0, 0, 0, 0, 1])
    row = measure_epic({"alpha-0": rewards}, labels).iloc[0]
    assert np.isfinite(row.drop("scoring").to_numpy(float)).all()
    assert interval(row, "auroc") == (1, 1)


@pytest.mark.parametrize("copies", [1, 7])
def test_a_few_states_without_failure_do_not_exclude_failures(copies):
    rewards, labels = np.arange(20.0).repeat(copies), np.repeat([0, 1], 10 * copies)
    clusters = np.arange(20).repeat(copies)
    row = measure_epic({"alpha-0": rewards}, labels, clusters).iloc[0]
    # Six states have at least the median reward of the successes: 0.61^6 = 0.05.
    assert interval(row, "fooled") == pytest.approx((0, 1 - 0.05 ** (1 / 6)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({}, [0, 1, 1]), "no rewards"),
        (({"alpha-0.5": [1, 1, 1]}, [0, 1, 1]), "alpha-0.5: the reward is constant"),
        (({"alpha-0.5": [1, 2, np.nan]}, [0, 1, 1]), "alpha-0.5: rewards contains NaN"),
        (({"alpha-0.5": [1, 2]}, [0, 1, 1]), "alpha-0.5: rewards and labels differ"),
        (({"alpha-0.5": [1, 2, 3]}, [1, 1, 1]), "all labels are the same"),
        (({"alpha-0.5": [1, 2, 3]}, [0, 1, 1], [0, 1]), "clusters and states differ"),
        (({"alpha-0.5": [1, 2, 3]}, [0, 1, 1], [4, 4, 4]), "at least two"),
        (
            ({"alpha-0.5": [0, 9, *range(8)]}, [1] + 9 * [0], [0] + 9 * [1], 1, 3),
            "none of the 1 resamples",
        ),
        (({"alpha-0.5": [1, 2, 3]}, [0, 1, 1], None, 0), "bootstrap must be at least 1"),
    ],
)
def test_measure_epic_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        measure_epic(*arguments)
