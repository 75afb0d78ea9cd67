import json

import pytest

from vlmrm.data.benchmarks import Benchmark, read_benchmarks

RECORD = {"rule_name": "embed_frames", "wildcards": {"model": "sim-S"}, "s": 2.0, "cpu_usage": 3}


def test_a_job_that_was_tried_again_counts_by_its_last_attempt(tmp_path):
    file = tmp_path / "embed_frames" / "poses" / "sim-S.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({**RECORD, "s": 1.0}) + "\n" + json.dumps(RECORD) + "\n")
    assert list(read_benchmarks(tmp_path)) == [Benchmark("embed_frames", {"model": "sim-S"}, 2.0)]


@pytest.mark.parametrize("kept", [0, 1, 30, -1])
def test_a_file_that_was_cut_off_counts_as_none(tmp_path, kept):
    (tmp_path / "cut.jsonl").write_text(json.dumps(RECORD)[:kept])
    (tmp_path / "whole.jsonl").write_text(json.dumps(RECORD))
    assert len(list(read_benchmarks(tmp_path))) == 1


@pytest.mark.parametrize("text", ["1", "{}", "\n"])
def test_a_file_without_the_values_of_a_job_counts_as_none(tmp_path, text):
    (tmp_path / "job.jsonl").write_text(text)
    assert not list(read_benchmarks(tmp_path))


def test_a_run_without_benchmarks_has_none(tmp_path):
    assert not list(read_benchmarks(tmp_path / "none"))
