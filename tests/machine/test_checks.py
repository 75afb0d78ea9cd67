"""A machine on which no job could render: it plans, but does not start."""

import os
import re
import subprocess
import sys

import pytest

from tests.workflow.conftest import ROOT, Project

# Python imports it at the start of every process.
WITHOUT_EGL = """
import ctypes

class CDLL(ctypes.CDLL):
    def __init__(self, name, *args, **options):
        if "EGL" in str(name):
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        super().__init__(name, *args, **options)

ctypes.CDLL = ctypes.cdll._dlltype = CDLL
"""


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def snakemake(project):
    """Runs the smoke run in processes that find neither libEGL nor a GPU."""
    hidden = project.folder / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(WITHOUT_EGL)
    environment = {name: value for name, value in os.environ.items() if name != "MUJOCO_GL"} | {
        "PATH": f"{project.folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join((str(hidden), str(ROOT))),
        "CUDA_VISIBLE_DEVICES": "",
    }
    importing = [sys.executable, "-c", "import vlmrm, mujoco"]
    assert subprocess.run(importing, env=environment, capture_output=True).returncode != 0

    def run(*arguments, **variables) -> subprocess.CompletedProcess:
        options = ["--configfile", "config/smoke.yaml", "--cores", "1"]
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *options, *arguments],
            cwd=project.folder,
            env={**environment, **variables},
            capture_output=True,
            text=True,
        )

    return run


STATES = "results/smoke/states/kneeling.h5"


def test_without_egl_a_run_is_planned(snakemake):
    run = snakemake("--dry-run")
    assert run.returncode == 0, run.stderr
    assert re.search(r"^train_policy +6$", run.stdout, re.MULTILINE)


def test_without_egl_a_run_stops_before_its_first_job_and_says_what_to_install(snakemake, project):
    run = snakemake()
    assert run.returncode != 0
    (line,) = [line for line in run.stderr.splitlines() if "vlmrm: " in line]
    assert "OpenGL cannot start" in line
    assert "install the Debian packages libegl1 and libgl1-mesa-dri" in line
    assert "Traceback" not in run.stderr
    assert not (project.folder / "results").exists()


def test_without_egl_a_cluster_is_sent_jobs(snakemake, project):
    sbatch = project.folder / "bin" / "sbatch"
    sbatch.write_text("#!/bin/sh\n")
    sbatch.chmod(0o755)
    run = snakemake(STATES)
    assert run.returncode == 0, run.stderr
    assert (project.folder / STATES).exists()


def test_without_egl_a_run_can_be_started_all_the_same(snakemake, project):
    run = snakemake(STATES, VLMRM_FORCE="1")
    assert run.returncode == 0, run.stderr
    assert (project.folder / STATES).exists()
