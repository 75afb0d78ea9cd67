"""The README and its example: what they promise is there."""

import os
import re
import runpy
import subprocess
import sys

import pytest
import yaml

from tests.docs.pages import fenced, shown
from tests.paths import ROOT
from tests.processes import vlmrm
from vlmrm.config import load_config
from vlmrm.pretraining.phrases import OPENINGS, PHRASES, new_words

README = ROOT / "README.md"
QUICK_START = ROOT / "docs" / "quick-start.md"
SENTENCE = ROOT / "docs" / "sentence.md"


AFTERWARDS = """
import importlib
import sys
import torch
from torchvision.ops import roi_align

print(frames.shape, rewards.dtype, isinstance(value, float), info['environment_reward'])
assert "torch._dynamo" not in sys.modules, "the compiler takes longer than all other imports"
assert "transformers" not in sys.modules, "only some tokenizers need it"
assert roi_align.__globals__["is_compile_supported"]("cpu") is True
assert torch._dynamo.is_compiling() is False
assert torch.compile(lambda x: x + 1, backend="eager")(torch.tensor(1)) == 2
assert importlib.import_module("transformers").AutoTokenizer
# Loads triton, which could crash a process that has drawn.
torch.optim.Adam([torch.zeros(1, requires_grad=True)])
"""


def test_the_example_runs_without_a_screen_or_unused_libraries_and_agents_can_be_trained_after_it():
    """In a process of its own, as users start it; others have loaded the compiler."""
    (example,) = fenced(README.read_text(), "python")
    environment = {k: v for k, v in os.environ.items() if k not in ("MUJOCO_GL", "DISPLAY")}
    run = subprocess.run(
        [sys.executable, "-c", example + AFTERWARDS],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert re.match(r"\(1, \d+, \d+, 3\) float32 True -?\d", run.stdout)


def test_the_first_score_is_what_the_readme_prints():
    [command] = [words for words in shown(README) if words[1] == "score"]
    assert command in shown(QUICK_START)
    pattern, printed = "docs/pictures/poses/*.jpg", README.read_text()
    pictures = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))
    place = command.index(pattern)
    run = vlmrm(*command[1:place], *pictures, *command[place + 1 :], cwd=ROOT)
    scores = re.findall(r"^(\S+)  (\S+)$", run.stdout, re.MULTILINE)
    assert sorted(path for _, path in scores) == pictures, run.stderr
    for score, path in scores:
        [line] = re.findall(rf"^    \S+  {path}$", printed, re.MULTILINE)
        assert line in QUICK_START.read_text()
        # Precision depends on the hardware.
        assert float(score) == pytest.approx(float(line.split()[0]), abs=0.02)


def test_importing_the_package_stays_light_and_keeps_what_is_set():
    code = (
        "import os, sys, vlmrm;"
        "print(os.environ['MUJOCO_GL'], {'torch', 'mujoco', 'gymnasium'} & {*sys.modules})"
    )
    environment = {**os.environ, "MUJOCO_GL": "osmesa"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert run.stdout.strip() == "osmesa set()", run.stderr


def test_the_tree_names_what_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    tree = text.split("## Where things are")[1].split("```")[1].strip()
    for line in tree.splitlines():
        folder = ROOT / "vlmrm" if line.startswith("  ") else ROOT
        names = re.split(r" {2,}", line.strip())[0].split(", ")
        for name in names:
            assert (folder / name).exists() or (folder / f"{name}.py").exists(), line


def test_the_page_of_all_keys_is_up_to_date():
    page = runpy.run_path(str(ROOT / "docs" / "configuration.py"))["page"]()
    written = (ROOT / "docs" / "configuration.md").read_text()
    assert written == page, "run .venv/bin/python docs/configuration.py"


def test_your_own_sentence_shares_the_model_of_the_demo():
    own, demo = (load_config(ROOT / "config" / f"{name}.yaml") for name in ("own", "demo"))
    assert own.run == "own"
    assert own.models == demo.models
    assert own.corpora == demo.corpora
    assert own.rendering == demo.rendering
    assert own.training["humanoid"] == demo.training["humanoid"]
    (block,) = fenced(SENTENCE.read_text(), "yaml")
    assert yaml.safe_load(block)["tasks"] == {
        name: task.model_dump(exclude_none=True) for name, task in own.tasks.items()
    }


def test_your_own_sentence_has_words_that_the_model_has_learned():
    phrases = [p for fact in PHRASES["humanoid"].values() for value in fact.values() for p in value]
    for task in load_config(ROOT / "config" / "own.yaml").tasks.values():
        for sentence in task.goals + task.baselines:
            assert new_words(sentence, ["humanoid"]) == []
            beginnings = [f"{o} {p}" for o in OPENINGS["humanoid"] for p in phrases]
            assert not any(sentence.startswith(beginning) for beginning in beginnings)


@pytest.fixture
def machine(tmp_path):
    """Runs scripts/system.sh as an ordinary user, on a machine without libraries to render."""

    def check(python):
        commands = {"id": "echo 1000", "ldconfig": "true", "ls": "false", "python3": python}
        for name, does in commands.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
            (tmp_path / name).chmod(0o755)
        return subprocess.run(
            ["sh", ROOT / "scripts" / "system.sh"],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
        )

    return check


def test_without_egl_the_installation_warns_and_goes_on(machine):
    run = machine("true")
    assert run.returncode == 0
    assert "libegl1 libegl-mesa0 libgl1-mesa-dri libgl1\n" in run.stderr
    assert "Only jobs in a container" in run.stderr


def test_without_venv_the_installation_stops(machine):
    run = machine('case "$2" in *venv*) exit 1;; esac')
    assert run.returncode == 1
    assert "missing, by their names in Debian: python3-venv libegl1" in run.stderr
