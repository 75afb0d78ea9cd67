"""All published models of a configuration are looked up before any job starts."""

import shutil
from collections import namedtuple

import pytest
import yaml

from tests.models.fetching import CONFIG, REPOSITORY, WEIGHTS
from tests.models.hub.server import TOKEN
from tests.processes import vlmrm
from vlmrm.config import PretrainedModel
from vlmrm.errors import UserError
from vlmrm.models.check import find_problems, look_up_models
from vlmrm.models.pretrained import fetch_pretrained

PICKLE = "open_clip_pytorch_model.bin"


@pytest.fixture
def models(hub, published, model_folder):
    """One that is fine, and one for each thing that can be wrong."""

    def published_as(name, files):
        commit = hub.add(name, files)
        return PretrainedModel(source="pretrained", repository=name, revision=commit)

    fine = published_as(REPOSITORY, published)
    hub.cards[REPOSITORY] = {"license": "mit"}
    hub.gated.add("somebody/gated")
    pickled = {CONFIG: published[CONFIG], PICKLE: published[WEIGHTS]}
    return {
        "fine": fine,
        "absent": fine.model_copy(update={"revision": "0" * 40}),
        "gated": published_as("somebody/gated", published),
        "pickled": published_as("somebody/pickled", pickled),
        "trusted": published_as("somebody/trusted", pickled).model_copy(
            update={"allow_pickle": True}
        ),
        "local": PretrainedModel(source="pretrained", path=str(model_folder)),
    }


def test_everything_is_known_and_nothing_downloaded(hub, models, published, tmp_path, monkeypatch):
    findings = look_up_models(models, tmp_path / "models")
    problems = {name: finding.problem for name, finding in findings.items() if finding.problem}
    assert list(problems) == ["absent", "gated", "pickled"]
    assert problems["absent"].startswith(f"models.absent.revision: {REPOSITORY} has no commit 000")
    assert "somebody/gated is gated and HF_TOKEN is not set; accept its terms" in problems["gated"]
    assert problems["pickled"].startswith("models.pickled.allow_pickle: ")
    size = len(published[WEIGHTS])
    fine, trusted, local = (findings[name] for name in ("fine", "trusted", "local"))
    assert (fine.size, fine.missing, fine.needed, fine.here) == (size, size, size, False)
    assert fine.origin["license"] == "mit"
    assert fine.origin["commit"] == models["fine"].revision
    assert (trusted.missing, trusted.needed) == (size, 2 * size)
    assert (local.missing, local.needed) == (0, size)
    assert find_problems(findings, tmp_path / "models") == list(problems.values())
    assert not hub.asked_for(WEIGHTS) and not hub.asked_for(PICKLE)
    assert not (tmp_path / "models").exists()
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    (gated,) = look_up_models({"gated": models["gated"]}, tmp_path / "models").values()
    assert gated.problem is None
    assert gated.origin["gated"]


def test_what_is_here_is_not_asked_for(hub, models, tmp_path):
    fetch_pretrained("fine", models["fine"], tmp_path / "fine")
    hub.requests.clear()
    (finding,) = look_up_models({"fine": models["fine"]}, tmp_path).values()
    assert finding.here
    assert finding.missing == finding.needed == 0
    assert finding.origin["license"] == "mit"
    assert not hub.requests


def test_all_of_them_must_fit_on_the_disk(models, published, tmp_path, monkeypatch):
    both = dict.fromkeys(("one", "other"), models["fine"])
    findings = look_up_models(both, tmp_path)
    usage = namedtuple("usage", "total used free")
    free = 3 * len(published[WEIGHTS]) // 2
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, free))
    (problem,) = find_problems(findings, tmp_path)
    assert problem.startswith("models: needs 28.5 MB of disk space, but ")
    assert not find_problems({"one": findings["one"]}, tmp_path)


def test_a_hub_that_cannot_be_reached_is_told_once(models, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"http://127\.0\.0\.1:9"):
        look_up_models(models, tmp_path)
    look_up_models({"local": models["local"]}, tmp_path)


def test_the_command_lists_models_and_problems(models, tmp_path):
    file = tmp_path / "config.yaml"
    content = {
        "run": "r",
        "alphas": [0],
        "tasks": {},
        "models": {name: model.model_dump() for name, model in models.items()},
    }
    file.write_text(yaml.safe_dump(content))
    command = ("check-models", "--config", file, "--folder", tmp_path / "models")
    run = vlmrm(*command, "fine", "local", "trusted")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    (fine,) = [line for line in lines if line.startswith("fine")]
    assert f"{REPOSITORY}@{models['fine'].revision[:12]}" in fine
    assert "14.3 MB" in fine and fine.rstrip().endswith(" mit")
    assert next(line for line in lines if line.startswith("total")).rstrip().endswith("28.5 MB")
    run = vlmrm(*command)
    assert run.returncode == 2
    assert [line.split(":")[1].strip() for line in run.stderr.splitlines()] == [
        "models.absent.revision",
        "models.gated",
        "models.pickled.allow_pickle",
    ]
    assert "cannot be fetched" in run.stdout
