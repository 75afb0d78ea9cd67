"""Models that reward what they have never seen are reported."""

import json
import shutil

import pytest

from vlmrm.checks.scenes import unseen_warnings
from vlmrm.config import parse_config
from vlmrm.config.architectures import WEIGHTS_FOLDER
from vlmrm.models.folder import PROVENANCE_FILE

RUN = {
    "run": "seen",
    "scorings": ["alpha-0"],
    "tasks": {
        "kneeling": {
            "environment": "humanoid",
            "goal": "a humanoid robot kneeling",
            "baseline": "a humanoid robot",
            "oracle": "kneeling",
        }
    },
}
CORPUS = {"frames": {"humanoid": {"gymnasium": 20}}}


def warnings(name, model, *uses, environment="humanoid", **content):
    models = {"sim-S": {"source": "packaged", "architecture": "sim-S"}, name: model}
    config = parse_config(RUN | {"models": models, **content})
    return unseen_warnings(config, [(name, environment, scene) for scene in uses])


def packaged():
    return {"source": "packaged", "architecture": "sim-L"}


def test_a_packaged_model_knows_the_scenes_of_its_corpus():
    assert warnings("L", packaged(), "textured-fixed") == []
    assert warnings("L", packaged(), "textured", "textured-fixed", "gymnasium", "textured") == [
        "L has never seen humanoid in textured or gymnasium, only in textured-fixed; its rewards "
        "may mean nothing there."
    ]
    assert warnings("L", packaged(), "textured", environment="mountain-car") == []


def test_it_knows_none_of_your_own_environments():
    assert warnings("L", packaged(), "default", environment="pendulum") == [
        "L has never seen pendulum; its rewards may mean nothing there."
    ]


def test_a_model_that_is_trained_on_one_scene_after_another_knows_both():
    model = {"source": "simulator", "architecture": "sim-S", "corpus": "frames"}
    corpora = {"frames": CORPUS}
    [warning] = warnings("later", model, "textured-fixed", "gymnasium", corpora=corpora)
    assert warning.startswith("later has never seen humanoid in textured-fixed, only in gymnasium;")
    model["initial_model"] = "sim-S"
    [warning] = warnings("later", model, "textured-fixed", "gymnasium", "textured", corpora=corpora)
    assert "in textured, only in gymnasium and textured-fixed;" in warning


def test_a_folder_says_what_its_model_has_seen(tmp_path):
    folder = shutil.copytree(WEIGHTS_FOLDER / "sim-S", tmp_path / "mine")
    model = {"source": "pretrained", "path": str(folder)}
    [warning] = warnings("mine", model, "textured")
    assert warning.startswith("mine has never seen humanoid in textured, only in textured-fixed;")
    (folder / PROVENANCE_FILE).write_text(json.dumps({"source": "packaged", "origin": {}}))
    assert warnings("mine", model, "textured") == []


@pytest.mark.parametrize(
    "model",
    [
        {"source": "pretrained", "architecture": "RN50", "tag": "openai"},
        {"source": "random", "architecture": "sim-S"},
    ],
    ids=["published", "random"],
)
def test_nothing_is_said_of_models_whose_frames_are_not_known(model):
    assert warnings("other", model, "textured") == []


def test_an_ensemble_sees_its_own_views():
    model = {"source": "ensemble", "members": ["sim-S"], "reference": "reference"}
    states = {"reference": {"sampler": "poses", "task": "kneeling", "size": 20}}
    views = {"scenes": ["textured-left", "textured-right"]}
    [warning] = warnings("sides", model | views, "textured-left", state_sets=states)
    assert warning.startswith("sim-S has never seen humanoid in textured-left or textured-right,")


def test_a_reward_without_a_model_has_seen_nothing():
    config = parse_config(RUN | {"models": {"L": packaged()}})
    assert unseen_warnings(config, [("oracle", "humanoid", "textured")]) == []
