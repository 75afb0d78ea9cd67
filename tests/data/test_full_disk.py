"""On a disk that is really full, files appear whole or not at all."""

import os
import subprocess
import sys

import pytest

NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


# With VLMRM_AMOUNTS=100, at each amount in steps of a page, up to 100 for each writer; weekly.
def test_no_writer_leaves_half_a_file_at_any_amount_of_free_space(tmp_path):
    try:
        subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "none", tmp_path], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk of our own can be mounted here")
    amounts = os.environ.get("VLMRM_AMOUNTS", "3")
    command = [*NAMESPACE, sys.executable, "-m", "tests.data.full_disk", str(tmp_path), amounts]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
