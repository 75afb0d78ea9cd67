import numpy as np
import pytest

from vlmrm.labeling.agreement import agreement_table, cohens_kappa, kappa_interval


def answers(yy, yn, ny, nn):
    """Two raters' answers by the counts of their table."""
    first = [True] * (yy + yn) + [False] * (ny + nn)
    second = [True] * yy + [False] * yn + [True] * ny + [False] * nn
    return np.array(first), np.array(second)


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [
        # p_o = 35/50, p_e = 1/2 * 3/5 + 1/2 * 2/5 = 1/2.
        ((20, 5, 10, 15), 0.4),
        # p_o = 60/100; p_e = 0.6 * 0.7 + 0.4 * 0.3 = 0.54.
        ((45, 15, 25, 15), 0.06 / 0.46),
        # The same p_o; p_e = 0.6 * 0.3 + 0.4 * 0.7 = 0.46.
        ((25, 35, 5, 35), 0.14 / 0.54),
        # Independent raters: 0.2 and 0.5 yes.
        ((10, 10, 40, 40), 0.0),
        ((3, 0, 0, 7), 1.0),
        # Never the same, half of each: p_e = 1/2.
        ((0, 5, 5, 0), -1.0),
        # One rater says yes to all: no agreement beyond chance.
        ((8, 0, 2, 0), 0.0),
    ],
)
def test_kappa_by_hand(counts, kappa):
    first, second = answers(*counts)
    assert cohens_kappa(first, second) == pytest.approx(kappa, abs=1e-12)
    assert cohens_kappa(second, first) == pytest.approx(kappa, abs=1e-12)
    assert cohens_kappa(~first, ~second) == pytest.approx(kappa, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([], [], "no states to which both raters said"),
        ([True], [True, False], "lists of equal length"),
        ([True, True], [True, True], "the same answer to every state"),
        ([False, False, False], [False, False, False], "the same answer to every state"),
    ],
)
def test_kappa_refuses(first, second, message):
    with pytest.raises(ValueError, match=message):
        cohens_kappa(first, second)
    with pytest.raises(ValueError, match=message):
        kappa_interval(first, second)


def test_the_interval_is_that_of_kappas_of_resamples():
    first, second = answers(9, 4, 3, 8)
    drawn = np.random.default_rng(5).multinomial(24, np.full(24, 1 / 24), size=200)
    kappas = [cohens_kappa(np.repeat(first, n), np.repeat(second, n)) for n in drawn]
    expected = np.quantile(kappas, (0.025, 0.975))
    assert kappa_interval(first, second, bootstrap=200, seed=5) == pytest.approx(tuple(expected))


def test_the_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    cells, truth = [0.4, 0.1, 0.2, 0.3], 0.4
    covered = 0
    for trial in range(300):
        first, second = answers(*rng.multinomial(200, cells))
        low, high = kappa_interval(first, second, bootstrap=300, seed=trial)
        covered += low <= truth <= high
    assert 0.9 <= covered / 300 <= 0.99


def test_dependent_states_widen_the_interval():
    first, second = answers(15, 6, 7, 12)
    alone = np.ptp(kappa_interval(first, second))
    copies = [np.repeat(a, 10) for a in (first, second)]
    grouped = np.ptp(kappa_interval(*copies, clusters=np.repeat(np.arange(40), 10)))
    assert grouped == pytest.approx(alone, rel=0.15)
    assert np.ptp(kappa_interval(*copies)) < 0.5 * grouped


def test_resamples_without_a_kappa_are_left_out():
    # Some resamples leave out the only no.
    low, high = kappa_interval(*answers(9, 0, 0, 1))
    assert (low, high) == (1, 1)


@pytest.mark.parametrize(
    ("clusters", "bootstrap", "message"),
    [
        ([1, 1, 1, 1], 10, "at least two"),
        ([1, 2], 10, "differ in shape"),
        (None, 0, "bootstrap must be at least 1"),
    ],
)
def test_the_interval_refuses(clusters, bootstrap, message):
    with pytest.raises(ValueError, match=message):
        kappa_interval(*answers(1, 1, 1, 1), clusters=clusters, bootstrap=bootstrap)


def test_raters_are_compared_where_both_decided():
    said = {
        "anna": {0: "yes", 1: "no", 2: "yes", 3: "unsure", 4: "no"},
        "bo": {4: "no", 2: "yes", 1: "yes", 3: "yes", 7: "unsure"},
    }
    oracle = np.array([1, 0, 1, 1, 0, 0, 0, 0], dtype=bool)
    table = agreement_table(said, oracle, bootstrap=100)
    assert list(table) == [
        *("first", "second", "n", "first_yes", "second_yes", "agreement"),
        *("kappa", "kappa_low", "kappa_high"),
    ]
    assert table[["first", "second"]].to_numpy().tolist() == [
        ["anna", "bo"],
        ["anna", "oracle"],
        ["bo", "oracle"],
    ]
    assert table["n"].tolist() == [3, 4, 4]
    assert table["agreement"].tolist() == pytest.approx([2 / 3, 1, 3 / 4])
    assert table["first_yes"].tolist() == pytest.approx([1 / 3, 1 / 2, 3 / 4])
    assert table["second_yes"].tolist() == pytest.approx([2 / 3, 1 / 2, 1 / 2])
    # p_e of anna and bo is 1/3 * 2/3 + 2/3 * 1/3 = 4/9.
    assert table["kappa"].tolist() == pytest.approx([(2 / 3 - 4 / 9) / (5 / 9), 1, 0.5])
    assert (table["kappa_low"] <= table["kappa"]).all()
    assert (table["kappa"] <= table["kappa_high"]).all()


def test_what_is_undefined_stays_empty():
    said = {"anna": {0: "yes", 1: "yes"}, "bo": {0: "yes", 1: "yes"}, "cy": {2: "no", 0: "unsure"}}
    table = agreement_table(said, None).set_index(["first", "second"])
    assert table.loc[("anna", "bo"), "agreement"] == 1
    assert table.loc[("anna", "cy"), "n"] == 0
    kappas = ["kappa", "kappa_low", "kappa_high"]
    assert table[kappas].isna().all(axis=None)
    assert np.isnan(table.loc[("anna", "cy"), "agreement"])


def test_states_of_a_trajectory_stay_together():
    first, second = answers(15, 6, 7, 12)
    said = {
        name: dict(enumerate(np.where(np.repeat(given, 10), "yes", "no").tolist()))
        for name, given in (("a", first), ("b", second))
    }
    alone = agreement_table(said, None).iloc[0]
    grouped = agreement_table(said, None, clusters=np.repeat(np.arange(40), 10)).iloc[0]
    assert grouped["kappa_low"] < alone["kappa_low"]
    assert grouped["kappa"] == alone["kappa"]
