import json

import pytest

from vlmrm.page.times import Stage, stages


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
