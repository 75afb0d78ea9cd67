"""Tables of ensembles."""

import numpy as np
import pandas as pd
import pytest

from vlmrm.config.settings import EnsembleSettings, Member
from vlmrm.data.tables import write_table
from vlmrm.errors import UserError
from vlmrm.rewards.members import measure_members, read_statistics, score_ensemble

SCORINGS = ("alpha-0", "alpha-0.5")


def settings(members, aggregate="mean"):
    return EnsembleSettings(
        model="trio", task="t", scene="s", reference="states", members=members,
        aggregate=aggregate, penalty=1,
    )  # fmt: skip


def rewards(model, values, scorings=SCORINGS, **columns):
    tables = [
        pd.DataFrame({"scene": "s", "model": model, "state": range(len(values)), "task": "t",
                      "scoring": scoring, "reward": np.multiply(values, number + 1.0), **columns})
        for number, scoring in enumerate(scorings)
    ]  # fmt: skip
    return pd.concat(tables, ignore_index=True)


A, B = Member(model="a", scene="s"), Member(model="b", scene="s")
REFERENCE = pd.concat([rewards("a", [0, 1, 2]), rewards("b", [10, 30, 20])])


def test_states_are_scored_by_statistics_of_other_states(tmp_path):
    both = settings([A, B], "min")
    write_table(tmp_path / "statistics.csv", measure_members(REFERENCE, both))
    statistics = read_statistics(tmp_path / "statistics.csv", both)
    scored = pd.concat([rewards("a", [1, 5]), rewards("b", [40, 20])])
    scored = scored.sample(frac=1, random_state=0)
    table = score_ensemble(scored, statistics, both)
    assert list(table) == ["scene", "model", "state", "task", "scoring", "reward"]
    assert set(table["model"]) == {"trio"}
    # Standard deviations are the root of 2/3, and ten times as much.
    expected = np.array([min(0, 2), min(4, 0)]) / np.sqrt(2 / 3)
    for _, rows in table.groupby("scoring"):
        np.testing.assert_allclose(rows.sort_values("state")["reward"], expected, atol=1e-12)


def test_each_sentence_and_each_view_is_a_member():
    spoken = [
        Member(model="a", scene="s", goal="one"),
        Member(model="a", scene="s", goal="2"),
        Member(model="a", scene="other", goal="one"),
    ]
    table = pd.concat(
        [
            rewards("a", [0, 2], goal="one"),
            rewards("a", [0, 4], goal="2"),
            rewards("a", [6, 0], goal="one").assign(scene="other"),
        ]
    )
    statistics = measure_members(table, settings(spoken))
    assert list(statistics.drop_duplicates(["scene", "goal"])["mean"]) == [1, 2, 3]
    mean = score_ensemble(table, statistics, settings(spoken))
    np.testing.assert_allclose(mean[mean["scoring"] == "alpha-0"]["reward"], [-1 / 3, 1 / 3])


def test_scorings_that_a_member_lacks_are_left_out():
    table = pd.concat([rewards("a", [0, 1]), rewards("b", [0, 1], ["alpha-0"])])
    statistics = measure_members(table, settings([A, B]))
    assert set(score_ensemble(table, statistics, settings([A, B]))["scoring"]) == {"alpha-0"}


def test_what_is_missing_is_named():
    both = settings([A, B])
    with pytest.raises(UserError, match=r"^rewards: lack the rewards of b in s for task 't'; give"):
        measure_members(rewards("a", [0, 1]), both)
    statistics = measure_members(rewards("a", [0, 1]), settings([A]))
    with pytest.raises(UserError, match=r"^statistics: lack the rewards of b in s by alpha-0; mea"):
        score_ensemble(REFERENCE, statistics, both)


@pytest.mark.parametrize("column", ["task", "reference"])
def test_statistics_of_another_task_or_of_other_states_are_refused(column, tmp_path):
    both = settings([A, B])
    path = tmp_path / "statistics.csv"
    write_table(path, measure_members(REFERENCE, both).assign(**{column: "other"}))
    expected = getattr(both, column)
    message = rf"statistics\.csv: is of the {column} 'other'; give that of '{expected}'"
    with pytest.raises(UserError, match=message):
        read_statistics(path, both)


def test_a_member_with_the_same_reward_for_all_states_is_named():
    table = pd.concat([rewards("a", [0, 1]), rewards("b", [3, 3])])
    message = r"^models\.trio\.members: b by alpha-0: all reference states have the same reward"
    with pytest.raises(UserError, match=message):
        measure_members(table, settings([A, B]))


def test_members_without_a_common_scoring_are_refused():
    table = pd.concat([rewards("a", [0, 1], ["alpha-0.5"]), rewards("b", [0, 1], ["alpha-0"])])
    statistics = measure_members(table, settings([A, B]))
    with pytest.raises(UserError, match=r"models\.trio: its members have no scoring in common"):
        score_ensemble(table, statistics, settings([A, B]))
