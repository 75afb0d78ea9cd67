"""``vlmrm explore`` as a user types it."""

import json
import os
import urllib.request

import numpy as np
import pytest
from PIL import Image

from tests.paths import ROOT
from tests.processes import vlmrm
from vlmrm.data.states import States


def session_of(where):
    return json.load(urllib.request.urlopen(f"{where}session", timeout=300))


def ask(where, question, **query):
    query = {"model": "sim-XS", "scoring": "alpha-0", "goal": ["a car"], **query}
    key = session_of(where)["key"]
    request = urllib.request.Request(
        f"{where}{question}/{key}",
        json.dumps(query).encode(),
        {"Content-Type": "application/json"},
    )
    return json.load(urllib.request.urlopen(request, timeout=300))


@pytest.fixture
def states(tmp_path):
    position = np.linspace(-1.2, 0.6, 8)
    values = np.stack([position, 0 * position], axis=1)
    States("mountain-car", values, labels={"mountain-car": position > 0.45}).write(
        tmp_path / "states.h5"
    )
    return tmp_path / "states.h5"


def test_states_of_a_file_with_the_tasks_of_a_configuration(serving, states):
    where = serving("--states", states, "--config", ROOT / "config/demo.yaml", "--model", "sim-XS")
    session = session_of(where)
    assert [task["name"] for task in session["tasks"]] == ["mountain-car"]
    assert session["ranked"] == list(range(8))
    told = ask(where, "rank", goal=session["tasks"][0]["goal"])
    assert (told["judge"], told["named"]) == ("mountain-car", True)
    assert "environment: mountain-car" in ask(where, "task")
    assert "yes from no" in ask(where, "diagnosis")["lines"][0]


def test_a_folder_of_pictures(serving, tmp_path):
    for name in ("a", "b"):
        Image.new("RGB", (30, 20), "red").save(tmp_path / f"{name}.png")
    where = serving("--pictures", tmp_path, "--model", "sim-XS", "--model", "sim-S")
    session = session_of(where)
    assert (session["noun"], session["names"]) == ("picture", ["a.png", "b.png"])
    assert session["models"] == ["sim-XS", "sim-S"]
    assert session["judges"] == session["paths"] == session["tasks"] == []
    first, second = ask(where, "rank", model="sim-S")["rewards"]
    assert first == second


def test_wrong_options_are_one_line_before_anything_is_made(states, tmp_path):
    (tmp_path / "sim-XS").mkdir()
    (tmp_path / "empty").mkdir()
    cases = [
        (("--model", "sim-XL"), "sim-XL: no such model folder"),
        (("--model", tmp_path / "sim-XS"), "no open_clip_config.json"),
        (("--scene", "texture"), "--scene: unknown name 'texture'; did you mean 'textured'?"),
        (("--states", states, "--pictures", tmp_path), "--states: cannot be combined"),
        (("--scene", "textured", "--pictures", tmp_path), "--scene: cannot be combined"),
        (("--poses", "16", "--pictures", tmp_path), "--poses: cannot be combined with --pictures"),
        (("--poses", "16", "--states", states), "--poses: cannot be combined with --states"),
        (("--states", tmp_path / "none.h5"), "none.h5: no such file"),
        (("--states", states, "--scene", "filament"), "--scene: unknown name 'filament'"),
        (("--pictures", tmp_path / "empty"), "contains no pictures"),
        (("--pictures", tmp_path / "none"), "no such folder"),
        (("--config", tmp_path / "none.yaml"), "none.yaml: cannot be read"),
        (("--port", "65536"), "--port"),
    ]
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}

    for options, answer in cases:
        run = vlmrm("explore", "--port", 0, *options, env=os.environ | env)
        assert run.returncode == 2, (options, run.stderr)
        (line,) = run.stderr.splitlines()
        assert answer in line
        assert not run.stdout
    assert not (tmp_path / "cache").exists()


def test_two_models_of_one_name_are_refused(tmp_path):
    weights = ROOT / "vlmrm" / "models" / "weights" / "sim-XS"
    (tmp_path / "sim-XS").symlink_to(weights)
    run = vlmrm("explore", "--model", "sim-XS", "--model", tmp_path / "sim-XS")
    assert run.stderr == "vlmrm: --model: two folders are named 'sim-XS'; rename one\n"


def test_states_that_cannot_be_drawn_are_refused(tmp_path):
    States("pendulum", np.zeros((2, 3))).write(tmp_path / "own.h5")
    run = vlmrm("explore", "--port", 0, "--states", tmp_path / "own.h5", "--model", "sim-XS")
    assert run.returncode == 2
    assert "'pendulum' cannot be drawn from states, only while it acts" in run.stderr
