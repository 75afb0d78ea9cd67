import json

import pytest

from vlmrm.page.times import Stage, in_words, stages


def write(folder, **jobs):
    for name, seconds in jobs.items():
        rule, _, number = name.rpartition("_")
        (folder / f"{number}-{rule}.jsonl").write_text(
            json.dumps({"rule_name": rule, "wildcards": {}, "s": seconds})
        )


def test_jobs_are_added_up_by_rule(tmp_path):
    write(tmp_path, train_policy_1=30, train_policy_2=10, draw_epic_1=5)
    assert stages(tmp_path) == [Stage("train policy", 2, 40, 30), Stage("draw epic", 1, 5, 5)]


def test_a_run_without_benchmarks_has_no_stages(tmp_path):
    assert stages(tmp_path / "none") == []


@pytest.mark.parametrize("kept", ["", '{"rule_name": "draw_epic", "s"', "{}"])
def test_a_benchmark_that_was_cut_off_leaves_the_others(tmp_path, kept):
    write(tmp_path, draw_epic_1=5)
    (tmp_path / "job.jsonl").write_text(kept)
    assert stages(tmp_path) == [Stage("draw epic", 1, 5, 5)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3.2, "3 seconds"), (61, "1 minute"), (5400, "1 hour and 30 minutes")],
)
def test_a_duration_in_words_has_no_seconds_beside_minutes(seconds, words):
    assert in_words(seconds) == words
