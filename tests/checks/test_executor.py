"""Where Snakemake runs jobs, and with which configuration."""

from pathlib import Path

import pytest

from vlmrm.checks.executor import check_unchanged, runs_here
from vlmrm.errors import UserError

SLURM = str(Path(__file__).parents[2] / "workflow" / "profiles" / "slurm")


@pytest.fixture(autouse=True)
def sbatch(tmp_path, monkeypatch):
    """A node on which jobs could be submitted, as in a terminal of `srun --pty bash`."""
    command = tmp_path / "sbatch"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)


@pytest.mark.parametrize(
    "words",
    [
        ["--cores", "all"],
        ["--cores", "all", "--executor", "local", "--profile", SLURM],
        ["--profile", "none"],
        ["--executor"],
    ],
    ids=" ".join,
)
def test_without_another_executor_jobs_run_here(words):
    assert runs_here(["snakemake", *words])


@pytest.mark.parametrize(
    "words",
    [["--executor", "slurm"], ["-e", "cluster-generic"], ["--executor=lsf"], ["--profile", SLURM]],
    ids=" ".join,
)
def test_an_executor_or_a_profile_with_one_submits_jobs(words):
    assert not runs_here(["snakemake", *words, "--", "all"])


def test_a_profile_may_be_in_the_environment(monkeypatch):
    monkeypatch.setenv("SNAKEMAKE_PROFILE", SLURM)
    assert not runs_here(["snakemake", "--cores", "1"])


def test_jobs_know_each_configuration_that_their_run_was_started_with(monkeypatch):
    """A workflow can use these rules several times."""
    monkeypatch.setenv("VLMRM_CONFIGS", "")
    for digest in ("mine", "also-mine"):
        check_unchanged(digest, starts=True)
    for digest in ("mine", "also-mine"):
        check_unchanged(digest, starts=False)
    with pytest.raises(UserError, match="start it again"):
        check_unchanged("another", starts=False)


def test_a_job_that_was_started_by_hand_has_any_configuration(monkeypatch):
    monkeypatch.delenv("VLMRM_CONFIGS", raising=False)
    check_unchanged("another", starts=False)
