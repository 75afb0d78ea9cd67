"""A SLURM cluster of one node, this machine, and the workflow in a folder of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.paths import ROOT, smoke_all

CLUSTER = Path(__file__).with_name("cluster.sh")
SEARCH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


@pytest.fixture(scope="session")
def cluster():
    """The environment of a shell that uses the cluster."""
    for program in ("slurmctld", "slurmd", "munged"):
        if shutil.which(program, path=SEARCH) is None:
            pytest.skip(f"{program} is missing: apt-get install slurm-wlm munge")
    # Not pytest's folder: the path of munge's socket has to be short.
    folder = Path(tempfile.mkdtemp(prefix="vlmrm-slurm-"))
    up = subprocess.run([CLUSTER, "up", folder], capture_output=True, text=True)
    try:
        assert up.returncode == 0, up.stderr
        yield {
            **os.environ,
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        }
    finally:
        subprocess.run([CLUSTER, "down", folder], check=True)
        shutil.rmtree(folder)


class Workflow:
    """A copy of the workflow; what it computes is real."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.folder = folder
        self.environment = environment
        for name in ("workflow", "config", "config.yaml", "examples"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
        (folder / "profiles").symlink_to("workflow/profiles")

    def start(self, config: dict, *targets: str, options: tuple[str, ...]) -> subprocess.Popen:
        (self.folder / "test.yaml").write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "snakemake", *options, "--configfile", "test.yaml", "--"]
        with (self.folder / "output.txt").open("w") as output:
            return subprocess.Popen(
                [*command, *targets],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def submit(self, config: dict, *targets: str, retries: int = 0) -> subprocess.Popen:
        """Starts the workflow on the cluster, which has no accounting and is looked at often."""
        options = ("--profile", "workflow/profiles/slurm", "--retries", str(retries))
        options += ("--slurm-status-command", "squeue", "--latency-wait", "10")
        options += ("--slurm-init-seconds-before-status-checks", "3", "--max-threads", "1")
        return self.start(config, *targets, options=options)

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def slurm(self, *command: str) -> str:
        return subprocess.check_output(command, env=self.environment, text=True)

    def wait_for(self, condition: Callable[[], object], process: subprocess.Popen) -> None:
        """Until the condition holds; fails if the workflow ends before."""
        while not condition():
            assert process.poll() is None, self.output
            time.sleep(0.5)


@pytest.fixture
def workflow(cluster, tmp_path):
    return Workflow(tmp_path, cluster)


@pytest.fixture
def smoke() -> dict:
    return smoke_all()
