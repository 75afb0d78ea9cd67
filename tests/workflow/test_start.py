"""What happens before the first job."""

import time

import pytest
import yaml

from vlmrm.config import parse_config


def test_every_rule_takes_part_in_the_smoke_run(fresh, smoke):
    jobs = set(fresh.planned(smoke))
    files = (fresh.folder / "workflow" / "rules").glob("*.smk")
    lines = [line for file in files for line in file.read_text().splitlines()]
    rules = {line.removeprefix("rule ").rstrip(":") for line in lines if line.startswith("rule ")}
    # Published models and people are what the smoke run does without.
    assert jobs == rules - {"fetch_model", "measure_agreement"}


def test_human_labels_are_missed_only_where_they_are_needed(fresh, smoke):
    smoke["epic"]["kneeling"]["labels"] = "none.csv"
    run = fresh.snakemake(smoke, "--dry-run")
    assert run.returncode != 0
    assert "none.csv" in run.stdout + run.stderr
    # The states that people shall label can be made.
    run = fresh.snakemake(smoke, "--dry-run", "results/smoke/states/kneeling.h5")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("name", ["config.yaml", "config/demo.yaml"])
def test_the_other_configurations_make_a_workflow(fresh, name):
    config = yaml.safe_load((fresh.folder / name).read_text())
    jobs = fresh.planned(config)
    settings = parse_config(config)
    runs = {run for name in settings.experiments for run in settings.runs(name)}
    assert jobs["train_policy"] == len(runs)


@pytest.mark.parametrize(
    ("section", "key", "value", "answer"),
    [
        ("tasks", "kneeling", {"environment": "humanoid", "baseline": "b"}, "tasks.kneeling.goal"),
        ("models", "smoke-S", {"source": "random", "architecture": "x"}, "models.smoke-S.architec"),
        ("rendering", "humanoid_sise", 96, "did you mean 'humanoid_size'?"),
    ],
)
def test_bad_input_is_one_line_within_five_seconds(fresh, smoke, section, key, value, answer):
    smoke[section][key] = value
    started = time.monotonic()
    run = fresh.snakemake(smoke)
    assert time.monotonic() - started < 5
    assert run.returncode != 0
    complaint = [line for line in run.stderr.splitlines() if "vlmrm: " in line]
    assert len(complaint) == 1
    assert answer in complaint[0]
    assert not (fresh.folder / "results").exists()
