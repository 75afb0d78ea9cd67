import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.data.test_files import space_for
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.labeling.labels import (
    COLUMNS,
    Label,
    append_label,
    check_rater,
    fingerprint,
    majority,
    now,
    read_answers,
)

HEADER = "rater,task,state,label,time,states"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels" / "labels.csv"


@pytest.fixture
def label(states):
    return Label("anna", "climb", 3, "yes", now(), fingerprint(states))


def test_the_columns_of_the_file(path, label):
    append_label(path, label)
    header, line = path.read_text().splitlines()
    assert header == HEADER == ",".join(COLUMNS)
    assert line == f"anna,climb,3,yes,{label.time},{label.states}"
    assert label.time.endswith("+00:00")


def test_the_later_line_counts_for_its_rater_and_task_alone(path, label, states):
    lines = [
        label,
        replace(label, rater="Bo, junior", label="no"),
        replace(label, task="rest", label="no"),
        replace(label, state=5),
        replace(label, label="unsure"),
    ]
    for line in lines:
        append_label(path, line)
    assert read_answers([path], "climb", states) == {
        "anna": {3: "unsure", 5: "yes"},
        "Bo, junior": {3: "no"},
    }
    assert len(path.read_text().splitlines()) == 1 + len(lines)


def test_one_file_for_each_rater_is_the_same_as_one_for_all(tmp_path, label, states):
    other = replace(label, rater="bo", label="no")
    for name, line in (("a.csv", label), ("b.csv", other)):
        append_label(tmp_path / name, line)
        append_label(tmp_path / "both.csv", line)
    apart = read_answers([tmp_path / "a.csv", tmp_path / "b.csv"], "climb", states)
    assert apart == read_answers([tmp_path / "both.csv"], "climb", states)


def test_many_write_at_once(path, label, states):
    def write(rater):
        for state in range(30):
            append_label(path, replace(label, rater=rater, state=state))

    threads = [threading.Thread(target=write, args=(f"rater {i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = read_answers([path], "climb", states)
    assert {rater: len(given) for rater, given in answers.items()} == {
        f"rater {i}": 30 for i in range(4)
    }
    assert path.read_text().count(HEADER) == 1


def test_what_editors_and_spreadsheets_do_to_a_file_is_read(path, label, states):
    append_label(path, label)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().rstrip().replace(b"\n", b"\r\n\r\n"))
    append_label(path, replace(label, state=4))
    assert read_answers([path], "climb", states) == {"anna": {3: "yes", 4: "yes"}}


@pytest.mark.parametrize("rater", ["anna", "Bo, junior", 'Zoë "the eye"'])
def test_a_line_torn_anywhere_loses_no_other_answer(path, label, states, rater):
    """As a full disk or a machine that stops may leave it."""
    append_label(path, replace(label, rater=rater))
    earlier = len(path.read_bytes())
    append_label(path, replace(label, rater=rater, state=4))
    content = path.read_bytes()
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        answers = read_answers([path], "climb", states).get(rater, {})
        # A line is whole when it lacks only its end.
        whole = (size >= earlier - 1) + (size >= len(content) - 1)
        expected = dict.fromkeys((3, 4)[:whole], "yes")
        assert answers == expected
        append_label(path, replace(label, rater=rater, state=7, label="no"))
        assert read_answers([path], "climb", states) == {rater: {**expected, 7: "no"}}
        assert path.read_bytes().endswith(b"\n")


def test_zeros_after_a_power_failure_lose_no_other_answer(path, label, states):
    append_label(path, label)
    path.write_bytes(path.read_bytes() + bytes(50))
    append_label(path, replace(label, state=4))
    assert read_answers([path], "climb", states) == {"anna": {3: "yes", 4: "yes"}}


def test_a_line_that_a_spreadsheet_quoted_is_whole(path, label, states):
    path.parent.mkdir()
    quoted = f'"anna","climb","3","yes","{label.time}","{label.states}"'
    path.write_text(f"{HEADER}\n{quoted}")
    append_label(path, replace(label, state=4))
    assert read_answers([path], "climb", states) == {"anna": {3: "yes", 4: "yes"}}


def test_on_a_full_disk_the_file_stays_what_it_was(path, label, states):
    """At every amount of free space."""
    path.parent.mkdir()
    for before in (b"", f"{HEADER}\n".encode()):
        path.write_bytes(before)
        for free in range(10**6):
            try:
                with space_for(len(before) + free):
                    append_label(path, label)
                break
            except UserError as error:
                assert str(error).startswith(f"{path}: cannot be written (File too large); fix")
            assert path.read_bytes() == before
        assert free == len(path.read_bytes()) - len(before)
        assert read_answers([path], "climb", states) == {"anna": {3: "yes"}}


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("anna,climb,1,maybe,{time},{states}", "2: label is 'maybe', but must be yes, no, unsure"),
        ("anna,climb,-1,yes,{time},{states}", "2: state is '-1', but must be a row number"),
        ("anna,climb,30,yes,{time},{states}", "2: there is no state 30, only 30 states"),
        ("anna,climb,1,yes,yesterday,{states}", "2: Invalid isoformat string"),
        ("anna,climb,1,ye", "2: has 4 of 6 columns"),
        (" ,climb,1,yes,{time},{states}", "2: a rater's name"),
        ("Oracle,climb,1,yes,{time},{states}", "2: 'Oracle' is the name of the oracle"),
        ("anna,climb,1,yes,{time},0123456789abcdef", "2: labels state set 0123456789abcdef, but"),
        ("anna,rest,x,yes,{time},{states}", "2: state is 'x'"),
    ],
)
def test_a_wrong_line_is_named(path, label, states, line, answer):
    path.parent.mkdir()
    path.write_text(f"{HEADER}\n{line.format(time=label.time, states=label.states)}\n")
    with pytest.raises(UserError) as error:
        read_answers([path], "climb", states)
    assert str(error.value).startswith(f"{path}:{answer}")
    assert "\n" not in str(error.value)


def test_a_file_that_is_none_of_labels_is_named(path, label, states):
    with pytest.raises(UserError, match=r"labels\.csv: cannot be read"):
        read_answers([path], "climb", states)
    path.parent.mkdir()
    for content in (b"state,label\n1,yes\n", b"state,label\n1,ye", b"notes", b"\n"):
        path.write_bytes(content)
        for use in (
            lambda: read_answers([path], "climb", states),
            lambda: append_label(path, label),
        ):
            with pytest.raises(UserError, match=r"labels\.csv:1: the columns must be rater,task"):
                use()
        assert path.read_bytes() == content
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"labels\.csv: not a CSV file in UTF-8"):
        read_answers([path], "climb", states)


def test_an_answer_about_other_states_is_refused_and_spoils_nothing(path, label, states):
    append_label(path, label)
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"labels\.csv:2: labels state set .* or another file"):
        append_label(path, replace(label, rater="bob", states="0" * 16))
    assert path.read_bytes() == before
    append_label(path, replace(label, state=label.state + 1))
    assert set(read_answers([path], "climb", states)) == {label.rater}


def test_other_tasks_may_have_other_states(path, label, states):
    append_label(path, replace(label, task="rest", states="0" * 16, state=1000))
    append_label(path, label)
    assert read_answers([path], "climb", states) == {"anna": {3: "yes"}}


def test_a_fingerprint_tells_sets_apart_but_not_machines(states):
    known = fingerprint(states)
    values = states.values
    assert len(known) == 16
    assert fingerprint(States("mountain-car", values * (1 + 1e-13), {"origin": values})) == known
    assert fingerprint(States("mountain-car", -values)) != known
    assert fingerprint(States("mountain-car", values[::-1])) != known
    assert fingerprint(States("mountain-car", values[:-1])) != known
    assert fingerprint(States("cartpole", values)) != known


def test_majority_leaves_out_ties_and_who_is_unsure():
    answers = {
        "a": {0: "yes", 1: "yes", 2: "no", 3: "unsure", 9: "no", 5: "yes"},
        "b": {0: "yes", 1: "no", 2: "unsure", 3: "unsure", 5: "no"},
        "c": {0: "no", 5: "no"},
    }
    rows, fulfilled = majority(answers)
    np.testing.assert_array_equal(rows, [0, 2, 5, 9])
    np.testing.assert_array_equal(fulfilled, [True, False, False, False])
    assert [len(part) for part in majority({})] == [0, 0]


def test_names_of_raters():
    assert check_rater(" Zoë Nováková ") == "Zoë Nováková"
    for name in ("", "  ", "two\nlines", "oracle", "x" * 101, "\udcff"):
        with pytest.raises(ValueError, match="name"):
            check_rater(name)
