"""A workflow that runs in seconds: `vlmrm` is replaced by a command that only makes its outputs."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml

from tests.paths import ROOT, smoke_all
from tests.processes import snakemake
from vlmrm.config.loading import read_merged
from vlmrm.plan.jobs import Job, parse_dry_run

STAND_IN = """#!{python} -S
import sys
from pathlib import Path

# Options may be one word, such as --frames=FILE.
words = [word for given in sys.argv for word in given.split("=", given.startswith("--"))]
options = dict(zip(words, words[1:]))
if "summarize" in sys.argv:
    print("what was found in", sys.argv[-1])


def provenance(section):
    # As recorded by commands that make what all runs share.
    import json
    import site

    site.main()  # not at the start (-S), where it is most of a job's time
    import yaml

    config = yaml.safe_load(Path(options["--config"]).read_text())
    name = Path(options["--output"]).stem
    return json.dumps({{"settings": config[section][name]}})


for option, value in zip(words, words[1:]):
    # Inputs of other commands.
    kept = ["--frames", "--trajectories"] if "evaluate-policy" in sys.argv else []
    frames = ["--frames"] if "sample-rollouts" in sys.argv else []
    made = ("--output", "--table", "--generations", "--divergence", *kept, *frames)
    if option not in made:
        continue
    path = Path(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    making = {{"copy-model", "fetch-model", "make-ensemble", "make-function-model"}}
    if (making | {{"make-random-model", "train-model"}}) & {{*sys.argv}}:
        path.mkdir(exist_ok=True)
        (path / "provenance.json").write_text(provenance("models"))
    elif "make-corpus" in sys.argv:
        record = provenance("corpora")
        import h5py

        with h5py.File(path, "w") as file:
            file.attrs["provenance"] = record
    elif "train-policy" in sys.argv:
        path.mkdir(exist_ok=True)
        for name in ("policy.zip", "best.zip", "learning_curve.csv"):
            (path / name).touch()
    else:
        path.write_bytes(bytes(1_500_000 if "sample-states" in sys.argv else 0))
"""


class Project:
    """A copy of the workflow in a folder of its own, with a stand-in for `vlmrm`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.told = ""
        """Standard output of the run that finished it."""
        self.shown = ""
        """Its standard error."""
        for name in ("workflow", "config", "config.yaml"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
        (folder / "profiles").symlink_to("workflow/profiles")
        common = folder / "workflow" / "rules" / "common.smk"
        commands = f"COMMANDS = Path({str(folder / 'bin')!r})"
        common.write_text(
            common.read_text().replace("COMMANDS = Path(sys.executable).parent", commands)
        )
        stand_in = folder / "bin" / "vlmrm"
        stand_in.parent.mkdir()
        stand_in.write_text(STAND_IN.format(python=sys.executable))
        stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)

    def snakemake(self, config: dict, *arguments: str) -> subprocess.CompletedProcess:
        (self.folder / "test.yaml").write_text(yaml.safe_dump(config))
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        # A stand-in neither renders nor fills the disk; what the checks find has its own tests.
        env = {"VLMRM_FORCE": "1", **os.environ, "PATH": path}
        options = ("--configfile", "test.yaml", "--cores", "2", *arguments)
        return snakemake(*options, cwd=self.folder, env=env)

    def jobs(self, config: dict, *targets: str) -> list[Job]:
        """The jobs that a dry run announces."""
        run = self.snakemake(config, "--dry-run", *targets)
        assert run.returncode == 0, run.stderr + run.stdout
        return parse_dry_run(run.stdout)

    def planned(self, config: dict, *targets: str) -> Counter:
        """How many jobs of each rule a dry run announces."""
        return Counter(job.rule for job in self.jobs(config, *targets))

    def resources(self, config: dict, *arguments: str) -> dict[str, list[dict[str, str]]]:
        """The resources of each job that a dry run announces, by rule."""
        run = self.snakemake(config, "--dry-run", *arguments)
        assert run.returncode == 0, run.stderr + run.stdout
        return asked_for(run.stdout)


def asked_for(output: str) -> dict[str, list[dict[str, str]]]:
    """The resources of each job that a dry run announces, by rule."""
    jobs = defaultdict(list)
    pattern = r"^(?:local)?rule (\w+):$.*?^    resources: (.*?)$"
    for rule, resources in re.findall(pattern, output, flags=re.MULTILINE | re.DOTALL):
        jobs[rule].append(dict(entry.split("=", 1) for entry in resources.split(", ")))
    assert jobs
    return dict(jobs)


@pytest.fixture
def smoke() -> dict:
    """The smoke run: the main path of the workflow. Enough where no other rule is asked about."""
    return read_merged(ROOT / "config" / "smoke.yaml")


@pytest.fixture
def whole() -> dict:
    """The smoke run of every rule, without rounds, in which models depend on agents."""
    return whole_run()


def whole_run() -> dict:
    config = smoke_all()
    del config["rounds"], config["predictions"]
    return config


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """A project in which `whole_run` has run."""
    project = Project(tmp_path_factory.mktemp("project"))
    run = project.snakemake(whole_run())
    assert run.returncode == 0, run.stderr
    project.told, project.shown = run.stdout, run.stderr
    return project


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Project:
    """A project in which nothing has run."""
    return Project(tmp_path_factory.mktemp("fresh"))
