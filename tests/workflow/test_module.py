"""The workflow as a module of another one."""

import copy
import os
import shutil
import subprocess

import pytest
import yaml

from tests.paths import ROOT
from tests.processes import snakemake
from vlmrm import __version__
from vlmrm.workflow import PROFILE

CONFIG = {
    "run": "poses",
    "extends": ["config/shared/sim.yaml"],
    "scorings": ["alpha-0"],
    "tasks": {
        "kneeling": {
            "environment": "humanoid",
            "goal": "a humanoid robot kneeling",
            "oracle": "kneeling",
        }
    },
    "state_sets": {"kneeling": {"sampler": "poses", "task": "kneeling", "size": 20, "seed": 1}},
}
REWARDS = "results/poses/rewards/kneeling/textured-fixed/sim-XS/kneeling.parquet"
SNAKEFILE = """
configfile: "config.yaml"

rule best:
    input: "{target}"
    output: "best.csv"
    shell: "cp {{input}} {{output}}"

module vlmrm:
    snakefile: {module}
    config: config["rewards"]
    {option}

use rule * from vlmrm as {names}

{own}
"""


class Other:
    """A workflow with settings and a rule of its own, which needs a file of a module."""

    def __init__(self, folder):
        self.folder = folder
        self.config = {"samples": 3, "rewards": copy.deepcopy(CONFIG)}

    def run(self, *arguments, env=None, **parts):
        parts = {"target": REWARDS, "names": "vlmrm_*", "option": "", "own": "", **parts}
        (self.folder / "Snakefile").write_text(SNAKEFILE.format(**parts))
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config))
        # A stand-in for `vlmrm` neither renders nor fills the disk.
        env = {**os.environ, "VLMRM_FORCE": "1", **(env or {})}
        return snakemake("--cores", "2", *arguments, cwd=self.folder, env=env)


@pytest.fixture
def other(tmp_path):
    return Other(tmp_path)


@pytest.fixture
def ours(fresh):
    """The address of a copy of the workflow whose commands only make their outputs."""
    return repr(str(fresh.folder / "workflow" / "Snakefile"))


def test_a_rule_of_another_workflow_uses_rewards_of_ours(other, ours):
    run = other.run("--dry-run", module=ours)
    assert run.returncode == 0, run.stderr
    assert "vlmrm_score_states" in run.stdout + run.stderr
    assert not (other.folder / "results").exists()

    run = other.run(module=ours)
    assert run.returncode == 0, run.stderr
    assert (other.folder / "best.csv").is_file()
    resolved = yaml.safe_load((other.folder / "results" / "poses" / "config.yaml").read_text())
    assert resolved["models"]["sim-XS"]["source"] == "packaged"  # by the package's shared part

    run = other.run("--dry-run", module=ours)
    assert "Nothing to be done" in run.stdout + run.stderr


def test_a_module_has_its_files_under_a_prefix(other, ours):
    (other.folder / "labels.csv").touch()
    place = {"states": "kneeling", "scenes": ["textured-fixed"], "models": ["sim-XS"]}
    measurement = {"task": "kneeling", **place, "labels": "labels.csv"}
    other.config["rewards"]["epic"] = {"kneeling": measurement}
    page = "sub/results/poses/index.html"
    run = other.run(module=ours, target=page, option='prefix: "sub"')
    assert run.returncode == 0, run.stderr
    made = {path.name for path in other.folder.iterdir()}
    assert made == {"Snakefile", "config.yaml", "labels.csv", ".snakemake", "sub", "best.csv"}
    assert (other.folder / "sub" / "results" / "poses" / "config.yaml").is_file()

    other.config["rewards"]["models"] = {"sim-XS": {"source": "packaged", "architecture": "sim-S"}}
    run = other.run("--dry-run", module=ours, option='prefix: "sub"')
    assert "but sub/resources/models/sim-XS was made with" in run.stderr


def test_a_question_leaves_the_configuration_as_it_is(other, ours):
    assert other.run(module=ours).returncode == 0
    resolved = other.folder / "results" / "poses" / "config.yaml"
    before = resolved.read_text()
    other.config["rewards"]["scorings"] = ["alpha-0", "alpha-1"]
    assert other.run("--summary", module=ours).returncode == 0
    assert resolved.read_text() == before


def test_a_module_computes_by_its_settings_beside_another_run_of_the_folder(other, ours):
    locks = other.folder / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/others/states/kneeling.h5\n")
    run = other.run(module=ours)
    assert run.returncode == 0, run.stderr
    assert (other.folder / "best.csv").is_file()


def test_a_prefix_that_commands_cannot_name_is_refused(other, ours):
    run = other.run("--dry-run", module=ours, option='prefix: "my runs"')
    assert run.returncode == 1
    assert "vlmrm: my runs/results/poses: commands cannot name this folder" in run.stderr


# Wildcards of its own have the names of ours.
OWN = """
rule copy:
    input: "config.yaml"
    output: "{task}.txt"
    shell: "cp {input} {output}"

onstart:
    vlmrm.onstart()
"""


@pytest.mark.usefixtures("quick_dry_runs")
@pytest.mark.parametrize("names", ["vlmrm_*", "*", "*_of_vlmrm"])
def test_its_checks_before_the_first_job_are_at_hand(other, ours, names):
    model = {"source": "pretrained", "architecture": "RN50", "tag": "openai"}
    other.config["rewards"]["models"] = {"sim-XS": model}
    offline = {"HF_ENDPOINT": "http://127.0.0.1:9", "VLMRM_FORCE": "0"}
    # Without states, it is not tried whether rendering works.
    targets = ("any.txt", "resources/models/sim-XS/provenance.json")
    run = other.run(*targets, module=ours, names=names, own=OWN, env=offline)
    assert run.returncode != 0
    assert "vlmrm: models.sim-XS: must be downloaded" in run.stderr
    assert not (other.folder / "resources").exists()


def test_its_profile_reads_no_settings_of_the_other_workflow(other, ours):
    options = ("--dry-run", "--configfile", "config.yaml", "--workflow-profile", PROFILE)
    run = other.run(*options, module=ours)
    assert run.returncode == 0, run.stderr


def test_mistakes_in_its_configuration_are_one_line(other, ours):
    del other.config["rewards"]["tasks"]["kneeling"]["goal"]
    run = other.run("--dry-run", module=ours)
    assert run.returncode == 1
    assert "vlmrm: config.yaml: tasks.kneeling.goal: missing; add it" in run.stderr


def test_a_module_of_another_version_than_the_package_is_refused_in_one_line(tmp_path):
    text = (ROOT / "workflow" / "Snakefile").read_text().replace(f'"{__version__}"', '"9.9.9"')
    (tmp_path / "Snakefile").write_text(text)
    run = snakemake("--cores", "1", "--dry-run", cwd=tmp_path)
    assert run.returncode == 1
    assert f"version 9.9.9, but the package is {__version__}; run `pip install" in run.stderr


@pytest.fixture
def hosted(fresh, tmp_path, monkeypatch):
    """A clone of the workflow's repository, which Git also finds at an address of GitHub."""
    bare = tmp_path / "hosted" / "owner" / "vlmrm.git"
    work = tmp_path / "work"
    shutil.copytree(fresh.folder, work, symlinks=True, ignore=shutil.ignore_patterns("bin"))
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (
        ["init", "--quiet"],
        ["add", "."],
        [*identity, "commit", "--quiet", "--message", "All"],
        ["tag", f"v{__version__}"],
        ["clone", "--quiet", "--bare", ".", str(bare)],
    ):
        subprocess.run(["git", *words], cwd=work, check=True)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{tmp_path}/hosted/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return work


def test_github_and_local_repositories_serve_the_module(other, hosted):
    github = f'github("owner/vlmrm", path="workflow/Snakefile", tag="v{__version__}")'
    run = other.run(module=github)
    assert run.returncode == 0, run.stderr
    assert (other.folder / "best.csv").is_file()
    # The report finds the captions.
    page = "results/poses/index.html"
    address = f'"git+file://{hosted}/workflow/Snakefile@v{__version__}"'
    run = other.run(module=address, target=page)
    assert run.returncode == 0, run.stderr
