"""Options with values that are none: one line, which names the option, and status 2."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.processes import vlmrm

SCORE = ("score", "red.png", "--model", "sim-XS", "--goal", "a robot")
LONG = "x" * 300


@pytest.fixture
def folder(tmp_path):
    Image.fromarray(np.full((8, 8, 3), 99, np.uint8)).save(tmp_path / "red.png")
    (tmp_path / "own.yaml").write_text(
        "run: own\nscorings: [alpha-0]\ntasks: {}\n"
        "models: {x: {source: packaged, architecture: sim-XS}}\n"
        "state_sets: {few: {sampler: uniform, environment: cartpole, size: 3}}\n"
    )
    (tmp_path / "there").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ((*SCORE, "--device", "foo"), "--device: PyTorch cannot use 'foo' (Expected one of cpu, "),
        ((*SCORE, "--device", "cpu:-1"), "--device: PyTorch cannot use 'cpu:-1' ("),
        ((*SCORE, "--scoring", "alpha-1.5"), "--scoring: 'alpha-1.5' is no scoring; write alpha-A"),
        ((*SCORE, "--scoring", "alpha-nan"), "--scoring: "),
        ((*SCORE, "--scoring", "x"), "--scoring: "),
        ((*SCORE, "--scoring", "alpha-0.5"), "--baseline: missing; alpha-0.5 needs one"),
        (
            (*SCORE, "--scoring", "alpha-0.5", "--baseline", "A Robot "),
            "--baseline: says the same as the goal; alpha-0.5 needs another",
        ),
        (
            (*SCORE, "--scoring", "contrast-0.1", "--contrast", "A Robot "),
            "--contrast: 'A Robot ' is the goal too; remove it",
        ),
        (
            (*SCORE, "--baseline", "a robot"),
            "--baseline: has no effect with alpha-0; add --scoring alpha-0.5",
        ),
        (
            (*SCORE, "--scoring", "contrast-0.1", "--contrast", "a", "--baseline", "b"),
            "--baseline: has no effect with contrast-0.1; add --scoring alpha-0.5",
        ),
        (
            (*SCORE, "--contrast", "a dog"),
            "--contrast: has no effect with alpha-0; add --scoring contrast-0.05",
        ),
        ((*SCORE, "--goal", " "), "--goal: empty; give a sentence"),
        ((*SCORE, "--baseline", ""), "--baseline: empty; give a sentence"),
        ((*SCORE, "--goal", "a " * 40), "--goal, --baseline, --contrast: 'a a "),
        ((*SCORE, "--modle", "x"), "No such option: --modle"),
        (("score", "--model", "sim-XS", "--goal", "x"), "Missing argument"),
        (("score", "none.png", *SCORE[2:]), "none.png: no such file"),
        (("score", LONG, *SCORE[2:]), f"{LONG[:190]}"),
        (("scoer",), "No such command 'scoer'"),
        (("sample-states", "few", "--config", "own.yaml", "--output", "there"), "--output: "),
        (("sample-states", "few", "--config", LONG, "--output", "s.h5"), "xxx"),
        (("sample-states", "few", "--config", "own.yaml", "--output", "red.png/s.h5"), "red.png"),
        (("sample-states", "few", "--config", "own.yaml", "--output", f"{LONG}.h5"), "xxx"),
        (("sample-states", "a\nb", "--config", "own.yaml", "--output", "s.h5"), "state_sets: "),
        (("copy-model", "x", "--config", "own.yaml", "--output", "red.png"), "--output: "),
        (
            ("copy-model", "x", "--config", "own.yaml", "--output", "."),
            "--output: .: holds something other than a model; give another folder",
        ),
        (("join-states", "few", "a.h5", "--config", "own.yaml", "--output", "s.h5"), "state_sets"),
        (("render-frames", "--states", LONG), "Missing option '--config'"),
        (("plan", "--config", "own.yaml", "--gpus", "many", "--machine", "a100"), "--gpus: "),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_a_value_that_is_none_is_answered_in_one_line(folder, arguments, answer):
    run = vlmrm(*arguments, cwd=folder)
    assert run.returncode == 2, run.stderr
    [line] = run.stderr.splitlines()
    assert line.removeprefix("vlmrm: ").startswith(answer)
    assert len(line) <= 400


def test_file_names_need_not_be_utf_8(folder, model_folder):
    name = os.fsencode(folder) + b"/caf\xe9.png"
    (folder / "red.png").rename(os.fsdecode(name))
    code = "from vlmrm.cli import main; main()"
    command = [sys.executable, "-c", code, "--log", os.fsencode(folder) + b"/\xe9.log", "score"]
    command += [name, "--model", str(model_folder), "--goal", "a robot", "--device", "cpu"]
    run = subprocess.run(command, capture_output=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith(name + b"\n")
    assert not run.stderr
    run = subprocess.run([*command[:6], name + b"x", *command[7:]], capture_output=True)
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1].endswith(b"caf\\udce9.pngx: no such file")


def test_without_a_command_the_help_lists_the_commands():
    run = vlmrm()
    assert run.returncode == 0
    assert "sample-states" in run.stdout
