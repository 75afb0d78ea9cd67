"""The configurations and commands of docs/environments.md and docs/own-model.md, in small."""

import importlib.util
import re

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.documentation import TINY_AGENT, blocks, commands, run_jobs, text
from tests.paths import ROOT
from tests.processes import vlmrm
from vlmrm.config import load_config

FOLDER = "config/environments"
NEEDS = {"maze": "gymnasium_robotics", "minigrid": "minigrid"}
NAMES = ["cheetah", "maze", "minigrid", "minigrid-model", "pendulum"]


def require(name):
    module = NEEDS.get(name.partition("-")[0], "gymnasium")
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: envs/environments.txt")


@pytest.fixture
def workflow(tmp_path):
    """A folder with the workflow, in which a configuration is shortened."""
    for name in ("workflow", "profiles", "config.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / FOLDER).mkdir(parents=True)
    for path in (ROOT / FOLDER).glob("*.py"):
        (tmp_path / FOLDER / path.name).symlink_to(path)

    def shorten(name):
        content = load_config(ROOT / FOLDER / f"{name}.yaml").model_dump(mode="json")
        for training in content["training"].values():
            training["agent"] |= TINY_AGENT
        if content["epic"]:  # needs successes, of which random actions find few
            content["environments"]["room"]["oracle"] = "tests.envs.foreign:looks_right"
        for states in content["state_sets"].values():
            states["size"] = 24
        for model in content["models"].values():
            model |= {"epochs": 1, "batch_size": 8} if model["source"] == "simulator" else {}
        for measurement in content["epic"].values():
            measurement["bootstrap"] = 10
        content["evaluation"] |= {"trajectories": 2, "video_trajectories": 1}
        (tmp_path / FOLDER / f"{name}.yaml").write_text(yaml.safe_dump(content))
        return tmp_path

    return shorten


def test_the_pages_name_every_configuration_and_a_command_that_runs_it():
    table = re.findall(r"^\| `([\w-]+)\.yaml` \|", text("environments.md"), re.MULTILINE)
    assert table == NAMES[:3]
    named = [
        command[-1]
        for page in ("environments.md", "own-model.md")
        for command in commands(page)
        if command[:4] == ["snakemake", "--cores", "all", "--configfile"]
    ]
    assert named == [f"{FOLDER}/{name}.yaml" for name in ("pendulum", "maze", "minigrid-model")]
    assert sorted(path.stem for path in (ROOT / FOLDER).glob("*.yaml")) == NAMES
    assert (ROOT / "envs" / "environments.txt").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "pendulum"])  # the smoke run's
def test_each_configuration_runs_as_documented(workflow, name):
    require(name)
    *_, command = [c for c in commands("environments.md") if c[0] == "snakemake"]
    folder = workflow(name)
    arguments = [part.replace("maze", name).replace("all", "1") for part in command[1:]]
    ran = run_jobs(folder, *arguments)
    assert {"train-policy", "evaluate-policy", "draw-success", "make-page"} <= {*ran}
    results = folder / "results" / name
    assert len([*results.rglob("video.mp4")]) == 1
    assert (results / "index.html").is_file()
    if name == "minigrid-model":
        assert {"make-corpus", "train-model", "measure-epic"} <= {*ran}


@pytest.mark.slow
def test_a_model_of_ones_own_is_made_command_by_command(workflow):
    require("minigrid")
    folder = workflow("minigrid-model")
    found = [command for command in commands("own-model.md") if command[0] == "vlmrm"]
    assert [command[1] for command in found] == [
        "sample-rollouts",
        "make-corpus",
        "train-model",
        "score",
    ]
    Image.fromarray(np.zeros((96, 96, 3), np.uint8)).save(folder / "room.png")
    for _, *words in found:
        words = [word.replace("*.png", "room.png") for word in words]
        run = vlmrm(*words, cwd=folder)
        assert run.returncode == 0, run.stderr
    assert "room.png" in run.stdout


def test_the_first_configuration_of_the_page_is_the_whole_file():
    first, *_ = blocks("environments.md", "yaml")
    assert yaml.safe_load(first) == yaml.safe_load((ROOT / FOLDER / "pendulum.yaml").read_text())
    (function,) = blocks("environments.md", "python")
    assert function in (ROOT / FOLDER / "pendulum.py").read_text()


def test_what_the_tutorial_prints_is_in_the_files():
    module = (ROOT / FOLDER / "minigrid.py").read_text()
    for block in blocks("own-model.md", "python"):
        for part in block.split("\n\n\n"):
            assert part in module
    raw = yaml.safe_load((ROOT / FOLDER / "minigrid-model.yaml").read_text())
    for block in blocks("own-model.md", "yaml"):
        included(yaml.safe_load(block), raw)


def test_the_goal_of_the_tutorial_is_no_caption():
    module = importlib.import_module("config.environments.minigrid")
    task = load_config(ROOT / FOLDER / "minigrid-model.yaml").tasks["reached"]
    captions = {text for away in range(7) for text in module.captions({"away": away})}
    assert not captions & {*task.goals, *task.contrasts}
    assert all(any(text.endswith(goal) for text in captions) for goal in task.goals)


def included(part, whole):
    """Checks that a configuration has what a part of it says."""
    if not isinstance(part, dict):
        assert part == whole
        return
    for key, value in part.items():
        included(value, whole[key])
