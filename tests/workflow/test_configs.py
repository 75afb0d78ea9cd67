"""The configuration that the commands of a run read, whatever else happens in its folder."""

import re
import shlex

import pytest

from vlmrm.config import load_config

from .conftest import Project

STATES = "results/smoke/states/kneeling.h5"


def size_read(project, smoke) -> int:
    """The size of a state set in the file that its command reads."""
    shown = project.snakemake(smoke, "--dry-run", "--forcerun", "sample_states", "--", STATES)
    [command] = re.findall(r"vlmrm .* sample-states .*", shown.stdout)
    words = shlex.split(command)
    file = project.folder / words[words.index("--config") + 1]
    return load_config(file).state_sets["kneeling"].size


@pytest.mark.usefixtures("quick_dry_runs")
@pytest.mark.parametrize("options", [(), ("--no-hooks",)], ids=["with hooks", "without hooks"])
def test_another_start_leaves_the_settings_of_jobs_that_wait(tmp_path, smoke, options):
    project = Project(tmp_path)
    before = smoke["state_sets"]["kneeling"]["size"]
    assert project.snakemake(smoke, *options, "--", STATES).returncode == 0
    smoke["state_sets"]["kneeling"]["size"] = before + 1
    run = project.snakemake(smoke, *options, "--", "results/smoke/states/cartpole-uniform.h5")
    assert run.returncode == 0, run.stderr
    assert size_read(project, smoke) == before + 1
    smoke["state_sets"]["kneeling"]["size"] = before
    assert size_read(project, smoke) == before


def test_a_job_of_a_cluster_reads_the_files_of_its_workflow_alone(fresh, smoke):
    """Snakemake starts it without the profile."""
    run = fresh.snakemake(smoke, "--mode", "subprocess", "--dry-run", "--", STATES)
    assert run.returncode == 0, run.stderr


def test_a_job_of_a_cluster_refuses_a_configuration_that_has_changed(fresh, smoke, monkeypatch):
    monkeypatch.setenv("VLMRM_CONFIGS", "another")
    run = fresh.snakemake(smoke, "--mode", "subprocess", "--dry-run", "--", STATES)
    assert run.returncode == 1
    assert "vlmrm: the configuration has changed since this run was started" in run.stderr
