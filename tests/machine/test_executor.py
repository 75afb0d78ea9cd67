"""How a command line of Snakemake runs its jobs."""

from pathlib import Path

import pytest

from vlmrm.machine.executor import runs_here

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
