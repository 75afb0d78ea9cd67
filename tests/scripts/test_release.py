"""A release: everything agrees on the version, and the wheel works without a checkout."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest
import yaml

from tests.paths import ROOT
from vlmrm import __version__

release_notes = runpy.run_path(str(ROOT / "scripts" / "release.py"))["release_notes"]
NAMED = ("vlmrm/__init__.py", "workflow/Snakefile", "CITATION.cff", "CHANGELOG.md")


def test_everything_agrees_on_the_version_of_this_project():
    notes = release_notes(ROOT)
    assert notes.index("### What breaks") < notes.index("### Added")
    assert "\n## " not in notes


@pytest.fixture
def project(tmp_path):
    for name in NAMED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", NAMED)
def test_a_file_with_another_version_or_date_is_named(project, name):
    path = project / name
    path.write_text(re.sub(r"\b\d+\.\d+\.\d+\b(?=\"?$| — )", "9.9.9", path.read_text(), flags=re.M))
    with pytest.raises(ValueError, match=rf"the version differs: .*9\.9\.9 \({name}\)"):
        release_notes(project)


def test_a_tag_of_another_version_and_another_date_are_named(project):
    with pytest.raises(ValueError, match=r"9\.9\.9 \(the tag\)"):
        release_notes(project, "v9.9.9")
    citation = project / "CITATION.cff"
    citation.write_text(re.sub("(?<=date-released: ).*", "2001-01-01", citation.read_text()))
    with pytest.raises(ValueError, match=r"the date differs: 2001-01-01 \(CITATION\.cff\)"):
        release_notes(project)


def test_pages_name_the_tag_and_the_image_of_the_version():
    pages = "".join((ROOT / "docs" / name).read_text() for name in ("module.md", "cluster.md"))
    assert {*re.findall(r"(?:[\"@ ]v|vlmrm:)(\d+\.\d+\.\d+)", pages)} == {__version__}


def test_what_changes_after_a_release_is_not_in_its_notes(project):
    page = project / "CHANGELOG.md"
    text = page.read_text()
    released = text[text.index("\n## ", text.index("## Unreleased\n") + 1) :]
    for later in ("", "- Later.\n"):
        page.write_text(f"# Changelog\n\n## Unreleased\n\n{later}{released}")
        assert release_notes(project) == release_notes(ROOT)


def test_every_python_that_is_admitted_tries_the_wheel_before_it_is_published():
    weekly, release = (
        yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())
        for name in ("weekly", "release")
    )
    pythons = weekly["jobs"]["newest"]["strategy"]["matrix"]["python"]
    assert release["jobs"]["try"]["strategy"]["matrix"]["python"] == pythons
    for name in ("pypi", "image", "notes"):
        assert "try" in release["jobs"][name]["needs"]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Wheel and source distribution of a copy of the tree, made without network."""
    folder = tmp_path_factory.mktemp("built")
    tree = folder / "tree"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tree / name, follow_symlinks=False)
    hook = (
        "import sys; from setuptools import build_meta as backend; folder = sys.argv[1];"
        "backend.build_sdist(folder); backend.build_wheel(folder)"
    )
    command = [sys.executable, "-c", hook, str(folder)]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


NEEDED = (
    "models/weights/README.md",
    "models/weights/sim-M/open_clip_model.safetensors",
    "models/weights/sim-M/provenance.json",
    "config/shared/agents.yaml",
    "page/captions/epic.rst",
    "page/templates/page.html",
    "workflow/workflow/Snakefile",
    "workflow/workflow/profiles/default/config.yaml",
    "workflow/workflow/report/captions/epic.rst",
    "workflow/workflow/rules/common.smk",
    "workflow/workflow/schemas/config.schema.json",
)


@pytest.mark.slow
def test_the_wheel_has_everything_and_so_has_the_source_that_it_can_be_built_from(built):
    wheel, source = built
    files = set(zipfile.ZipFile(wheel).namelist())
    assert not {f"vlmrm/{name}" for name in NEEDED} - files
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in files)
    with tarfile.open(source) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert not {name for name in files if ".dist-info/" not in name} - inside
    assert {"LICENSE", "CHANGELOG.md", "CITATION.cff"} <= inside
    assert not any(name.startswith("tests") for name in files | inside)


@pytest.mark.slow
def test_commands_and_the_workflow_run_from_the_wheel(built, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(built[0]).extractall(site)
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "small.yaml").write_text(
        "run: small\nextends: [config/shared/sim.yaml, config/shared/tasks.yaml]\n"
        "state_sets: {kneeling: {sampler: poses, task: kneeling, size: 20, seed: 1}}\n"
        "scorings: [alpha-0]\n"
    )

    def run(*words):
        call = (
            "import sys, vlmrm; assert vlmrm.__file__.startswith(sys.argv.pop(1)); "
            "from vlmrm.cli import main; main()"
        )
        command = [sys.executable, "-c", call, str(site), *words]
        env = {**os.environ, "PYTHONPATH": str(site)}
        finished = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    picture = str(ROOT / "docs" / "pictures" / "poses" / "kneeling.jpg")
    goal = ("--goal", "a humanoid robot kneeling")
    assert "kneeling.jpg" in run("score", picture, "--model", "sim-XS", *goal)
    target = "results/small/states/kneeling.h5"
    assert "sample_states" in run("plan", "--config", "small.yaml", target)
