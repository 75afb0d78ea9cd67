import os
from pathlib import Path

import numpy as np
import pytest

from vlmrm.errors import UserError
from vlmrm.labeling.labels import read_answers
from vlmrm.labeling.session import Session, shown_order


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.csv"


@pytest.fixture
def session(states, path):
    def make(rater="anna", file=path, task="climb", **options):
        return Session(states, task, ["a car on the peak"], rater, file, **options)

    return make


def test_the_order_is_random_and_a_sample_is_its_beginning():
    order = shown_order(100, None, seed=1)
    assert sorted(order) == list(range(100))
    assert (order != np.arange(100)).any()
    np.testing.assert_array_equal(shown_order(100, 10, seed=1), order[:10])
    assert (shown_order(100, None, seed=2) != order).any()
    assert len(shown_order(5, 10, seed=1)) == 5


def test_a_stopped_labeling_is_an_unbiased_sample():
    shown = [shown_order(50, 10, seed) for seed in range(2000)]
    counts = np.bincount(np.concatenate(shown), minlength=50)
    assert np.abs(counts - 400).max() < 5 * np.sqrt(400 * 0.8)


def test_answers_reach_the_file_and_the_next_session(session, states, path):
    first = session()
    first.answer(0, "yes")
    first.answer(2, "unsure")
    first.answer(0, "no")
    expected = {"anna": {first.row(0): "no", first.row(2): "unsure"}}
    assert read_answers([path], "climb", states) == expected
    assert session().answers()[:4] == ["no", None, "unsure", None]
    assert session(sample=2).answers() == ["no", None]


def test_sessions_on_one_file_agree_with_it(session, path):
    first, second, bo = session(), session(seed=1), session("bo")
    first.answer(0, "yes")
    row = first.row(0)
    same = [second.row(i) for i in range(30)].index(row)
    assert second.answers()[same] == "yes"
    # The latest answer counts, whoever gave the one before.
    second.answer(same, "no")
    assert first.answers()[0] == second.answers()[same] == "no"
    first.answer(0, "unsure")
    assert first.answers()[0] == second.answers()[same] == "unsure"
    assert bo.answers() == [None] * 30
    path.unlink()
    assert first.answers() == second.answers() == [None] * 30


def test_each_rater_has_their_own_progress_in_the_same_order(session, tmp_path):
    anna, bo = session(), session("bo")
    anna.answer(0, "yes")
    bo.answer(0, "no")
    assert [anna.row(i) for i in range(30)] == [bo.row(i) for i in range(30)]
    assert session().answers()[0] == "yes"
    assert session("bo").answers()[0] == "no"
    assert session("cy").answers() == [None] * 30
    assert session(file=tmp_path / "other.csv").answers() == [None] * 30


def test_the_key_tells_sessions_apart(session, tmp_path):
    others = [
        session("bo"),
        session(seed=1),
        session(sample=9),
        session(task="rest"),
        session(file=tmp_path / "other.csv"),
    ]
    keys = {one.key for one in (session(), *others)}
    assert len(keys) == 6
    assert session().key == session().key


def test_a_refused_name_or_file_is_told_before_anything_is_written(session, path):
    with pytest.raises(UserError, match="--rater: 'oracle' is the name of the oracle"):
        session("oracle")
    path.write_text("state,label\n")
    with pytest.raises(UserError, match=r"labels\.csv:1: the columns"):
        session()
    assert path.read_text() == "state,label\n"


def test_an_empty_file_is_a_new_one(session, path):
    path.touch()
    session().answer(0, "yes")
    assert session().answers()[0] == "yes"


def test_what_cannot_be_written_is_told_before_the_first_answer(session, tmp_path):
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/null")
    for name in ("", "file/labels.csv", "fifo", "device", "x" * 300):
        place = tmp_path / name
        with pytest.raises(UserError) as error:
            session(file=place)
        assert str(error.value) == f"--output: {place} cannot be written; choose another file"


@pytest.mark.parametrize(
    "name", ["{rater} {0}.csv", "-labels.csv", "--help", "a b'c\"\n.csv", "\udcff"]
)
def test_any_name_of_a_file(session, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    made = session(file=Path("folder {1}", name))
    made.answer(0, "yes")
    assert session(file=Path("folder {1}", name)).answers()[0] == "yes"
    assert len(made.key) == 16
