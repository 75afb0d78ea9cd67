"""The workflow and the commands of docs/module.md."""

import os
import subprocess

import pandas as pd
import pytest

from tests.documentation import blocks, text
from tests.paths import ROOT
from tests.processes import COMMANDS

SNAKEFILE, HANDLERS, _ = blocks("module.md", "python")
(CONFIG,) = blocks("module.md", "yaml")


@pytest.mark.slow
def test_a_workflow_keeps_the_best_of_the_poses_that_the_module_scores(tmp_path):
    (tmp_path / "Snakefile").write_text(f"{SNAKEFILE}\n{HANDLERS}")
    (tmp_path / "config.yaml").write_text(CONFIG)
    lines = [line.strip() for line in text("module.md").splitlines()]
    commands = [line for line in lines if line.startswith("snakemake ")]
    dry_run, _, with_profile = commands
    path = f"{COMMANDS}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "VLMRM_FORCE": "1"}
    for command in (dry_run, with_profile):
        run = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        if command == dry_run:
            assert not (tmp_path / "results").exists()
    best = pd.read_csv(tmp_path / "best-poses.csv")["reward"]
    assert len(best) == 5
    assert best.is_monotonic_decreasing
    assert "finished  vlmrm score states" in run.stderr
