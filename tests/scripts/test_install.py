"""The installation takes what the lock says, on any day."""

import base64
import ensurepip
import hashlib
import os
import re
import shutil
import subprocess
import tomllib
import zipfile

import pytest
import yaml

from tests.paths import ROOT

MAKE_TARGET = ".venv/installed"


def write_wheel(folder, name, version, requires=(), extras=()):
    """A package with one module, and the lines that lock it."""
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Provides-Extra: {extra}" for extra in extras),
        *(f"Requires-Dist: {requirement}" for requirement in requires),
    ]
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = '{version}'\n",
        f"{about}/METADATA": "\n".join(metadata) + "\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record.append(f"{path},sha256={digest.decode()},{len(text)}")
    files[f"{about}/RECORD"] = "\n".join([*record, f"{about}/RECORD,,"]) + "\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


# Builds the tiny project without setuptools, which is not in the folder of packages.
BACKEND = """
import shutil

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return shutil.copy("project-1.0-py3-none-any.whl", wheel_directory).rsplit("/")[-1]
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


class Project:
    """A tiny project with this one's Makefile and scripts, and a folder instead of an index."""

    def __init__(self, root):
        self.root = root
        self.packages = root / "packages"
        self.packages.mkdir()
        (root / "envs").mkdir()
        (root / "scripts").mkdir()
        shutil.copy(ROOT / "Makefile", root)
        shutil.copy(ROOT / "scripts" / "install.sh", root / "scripts")
        # System packages are another matter.
        (root / "scripts" / "system.sh").write_text("")
        (root / "pyproject.toml").write_text(PYPROJECT)
        (root / "backend.py").write_text(BACKEND)
        write_wheel(root, "project", "1.0", requires=["app"])
        # The pip that comes with this Python, since no other one is in the folder.
        pip = f"pip=={ensurepip.version()} --hash=sha256:{'0' * 64}\n"
        (root / "envs" / "installer.txt").write_text(pip)
        lines = (
            write_wheel(self.packages, "app", "1.0", requires=["tool[fast]>=1", "plain>=1"]),
            write_wheel(self.packages, "tool", "1.0", extras=["fast"]),
            write_wheel(self.packages, "plain", "1.0"),
        )
        (root / "envs" / "lock.txt").write_text("\n".join(lines) + "\n")

    def run(self, *command):
        settings = {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.packages),
            "PIP_CONFIG_FILE": os.devnull,
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "MAKE", "MFLAGS"))}
        return subprocess.run(
            command, cwd=self.root, env={**kept, **settings}, capture_output=True, text=True
        )

    def version(self, name):
        python = self.root / ".venv" / "bin" / "python"
        show = f"import {name}; print({name}.VERSION)"
        run = subprocess.run([python, "-c", show], capture_output=True, text=True)
        return run.stdout.strip()


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_an_installation_takes_no_newer_release_goes_on_and_misses_what_the_lock_lacks(project):
    for name, extras in {"app": [], "tool": ["fast"], "plain": []}.items():
        write_wheel(project.packages, name, "1.1", extras=extras)
    run = project.run("make", MAKE_TARGET, "PYTHON=false")
    assert run.returncode != 0
    assert re.search(r"broke off .*:\n +false -m venv --clear \.venv\n", run.stderr)
    assert "run the same command again" in run.stderr
    assert not (project.root / MAKE_TARGET).exists()

    run = project.run("make", MAKE_TARGET)
    assert run.returncode == 0, run.stderr
    assert [project.version(name) for name in ("app", "tool", "plain")] == ["1.0"] * 3

    # The rest of an installation whose lock had no line for this package.
    project.run(".venv/bin/python", "-m", "pip", "uninstall", "--yes", "plain")
    run = project.run("sh", "scripts/install.sh", "package")
    assert run.returncode != 0
    assert "app 1.0 requires plain" in run.stdout + run.stderr
    assert re.search(r"broke off .*:\n +\S*python -m pip .*check\n", run.stderr)


def test_every_python_that_is_admitted_is_tried_each_week():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    prefix = "Programming Language :: Python :: 3."
    minors = [int(c.removeprefix(prefix)) for c in project["classifiers"] if c.startswith(prefix)]
    assert project["requires-python"] == f">=3.{min(minors)},<3.{max(minors) + 1}"
    weekly = yaml.safe_load((ROOT / ".github" / "workflows" / "weekly.yml").read_text())
    for name in ("locked", "newest"):
        job = weekly["jobs"][name]
        assert job["strategy"]["matrix"]["python"] == [f"3.{minor}" for minor in minors]


@pytest.mark.parametrize("name", ["$(touch ran)", "`touch ran`", 'a"b', "a\\b", "a:b", "a\nb"])
def test_a_folder_whose_name_commands_cannot_hold_is_refused_in_one_line(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    command = ["sh", str(ROOT / "scripts" / "install.sh"), "dependencies"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert "rename the folder" in line
    assert list(folder.iterdir()) == []
