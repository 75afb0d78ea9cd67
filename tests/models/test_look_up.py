"""All published models of a configuration are looked up before any job starts."""

import json
import shutil
from collections import namedtuple

import pytest
import yaml

from tests.models.fetching import CONFIG, REPOSITORY, WEIGHTS
from tests.models.hub.server import TOKEN
from tests.models.test_find import with_hub_tokenizer
from tests.processes import vlmrm
from vlmrm.cli.check_models import findings_table
from vlmrm.config import PretrainedModel
from vlmrm.errors import UserError
from vlmrm.models.fetch import fetch_pretrained
from vlmrm.models.look_up import describe_problems, look_up_models

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
    assert describe_problems(findings, tmp_path / "models") == list(problems.values())
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
    (problem,) = describe_problems(findings, tmp_path)
    assert problem.startswith("models: needs 28.6 MB of disk space, but ")
    assert not describe_problems({"one": findings["one"]}, tmp_path)


def test_what_no_model_could_be_fetched_for_is_reported_once(models, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        with pytest.raises(UserError) as caught:
            look_up_models(models, tmp_path)
        assert str(caught.value) == (
            "models: http://127.0.0.1:9 cannot be reached ([Errno 111] Connection refused); check "
            "the network, name a mirror in HF_ENDPOINT, or copy the model folders from a machine "
            "that has them"
        )
        look_up_models({"local": models["local"]}, tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_schlüssel")
    with pytest.raises(UserError, match=r"^HF_TOKEN: contains characters that no token has"):
        look_up_models(models, tmp_path)


def test_models_fetched_by_an_earlier_version_are_listed(models, tmp_path):
    """Their provenance says neither license nor whether they are gated."""
    fetch_pretrained("fine", models["fine"], tmp_path / "fine")
    file = tmp_path / "fine" / "provenance.json"
    record = json.loads(file.read_text())
    del record["origin"]["license"], record["origin"]["gated"]
    file.write_text(json.dumps(record))
    table = findings_table(look_up_models({"fine": models["fine"]}, tmp_path))
    assert [next(iter(column.cells)) for column in table.columns][-2:] == [
        "here",
        "not stated on its page",
    ]


def test_a_damaged_folder_is_one_problem_among_others(models, tmp_path):
    fetch_pretrained("fine", models["fine"], tmp_path / "fine")
    (tmp_path / "fine" / "provenance.json").write_text("damaged")
    both = {name: models[name] for name in ("fine", "pickled")}
    findings = look_up_models(both, tmp_path)
    assert "provenance.json: damaged" in findings["fine"].problem
    assert findings["pickled"].problem.startswith("models.pickled.allow_pickle: ")


def test_a_gated_tokenizer_is_reported(hub, published, tmp_path):
    hub.add("somebody/tokenizer", {"tokenizer.json": b"{}"})
    hub.gated.add("somebody/tokenizer")
    commit = hub.add(REPOSITORY, with_hub_tokenizer(published))
    model = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    (finding,) = look_up_models({"tiny": model}, tmp_path).values()
    assert "somebody/tokenizer is gated and HF_TOKEN is not set" in finding.problem


def test_the_command_lists_models_and_problems(models, tmp_path):
    file = tmp_path / "config.yaml"
    content = {
        "run": "r",
        "scorings": ["alpha-0"],
        "tasks": {},
        "models": {name: model.model_dump() for name, model in models.items()},
    }
    content["models"]["random"] = {"source": "random", "architecture": "sim-XS"}
    file.write_text(yaml.safe_dump(content))
    command = ("check-models", "--config", file, "--folder", tmp_path / "models")
    run = vlmrm(*command, "fine", "local", "trusted")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    (fine,) = [line for line in lines if line.startswith("fine")]
    assert f"{REPOSITORY}@{models['fine'].revision}" in fine
    assert "14.3 MB" in fine and fine.rstrip().endswith(" mit")
    assert next(line for line in lines if line.startswith("total")).rstrip().endswith("28.6 MB")
    run = vlmrm(*command)
    assert run.returncode == 2
    assert [line.split(":")[1].strip() for line in run.stderr.splitlines()] == [
        "models.absent.revision",
        "models.gated",
        "models.pickled.allow_pickle",
    ]
    assert "cannot be fetched" in run.stdout
    run = vlmrm(*command, "absent", "random")
    assert run.stderr.startswith("vlmrm: models.random.source: is 'random', but this command is")
