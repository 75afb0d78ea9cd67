"""Problems of models are reported before the first job."""

import shutil
from pathlib import Path

import pytest

from tests.checks.conftest import library
from tests.plan.jobs import DEMO, PAPER, RUN, fetching, training
from vlmrm.checks.models import scene_warnings
from vlmrm.checks.start import FORCE, find_problems
from vlmrm.config import Corpus, PretrainedModel, SimulatorModel
from vlmrm.machine.doctor import Check, Verdict
from vlmrm.models.fetch import fetch_pretrained
from vlmrm.models.look_up import Finding, look_up_models
from vlmrm.plan.jobs import Job


def test_models_that_cannot_be_downloaded_are_reported_before_the_start(machine):
    problems = find_problems([fetching("RN50"), fetching("ViT-L-14")], PAPER)
    assert problems is not None
    assert problems.startswith(
        "models.RN50: with 1 more, must be downloaded, but https://huggingface.co"
    )
    assert "not reachable (no route); run `make demo`" in problems
    assert "HF_ENDPOINT" in problems
    # Those that are here already, or are made here, need no hub.
    assert (
        find_problems([Job("embed_prompts", {"task": "kneeling", "model": "RN50"})], PAPER) is None
    )
    machine.setenv(FORCE, "1")
    assert find_problems([fetching("RN50")], PAPER) is None


def test_the_hub_is_asked_for_every_model_before_the_start(machine):
    asked = []

    def look_up(models, folder):
        asked.append((list(models), folder))
        return {name: Finding({}, problem=f"models.{name}: is gated") for name in models}

    machine.setattr("vlmrm.checks.models.check_hub", lambda: Check("Hub", Verdict.fine, "answers"))
    machine.setattr("vlmrm.models.look_up.look_up_models", look_up)
    assert find_problems([fetching("RN50"), fetching("ViT-L-14")], PAPER) == (
        "models.RN50: is gated; VLMRM_FORCE=1 starts it anyway\n"
        "models.ViT-L-14: is gated; VLMRM_FORCE=1 starts it anyway"
    )
    assert asked == [(["RN50", "ViT-L-14"], Path("resources/models"))]


def test_a_folder_without_a_model_is_refused_before_the_start(machine, model_folder, tmp_path):
    machine.setattr("vlmrm.models.look_up.look_up_models", look_up_models)
    machine.setenv(FORCE, "1")  # the first job would fail all the same
    own = PretrainedModel(source="pretrained", path=str(shutil.copytree(model_folder, "mine")))
    run = PAPER.model_copy(update={"models": {**PAPER.models, "own": own}})
    assert find_problems([fetching("own")], run) is None
    fetch_pretrained("own", own, tmp_path / "resources" / "models" / "own")
    # The run has its copy.
    shutil.rmtree("mine")
    assert find_problems([fetching("own")], run) is None
    shutil.rmtree("resources")
    assert find_problems([fetching("own")], run) == (
        "models.own.path: mine has no open_clip_config.json; it must be a folder for open_clip"
    )


def test_a_tokenizers_library_is_missed_before_the_download(machine):
    machine.setattr("vlmrm.checks.models.check_hub", lambda: Check("Hub", Verdict.fine, "answers"))
    library(machine, "transformers", None)
    problems = find_problems([fetching("RN50"), fetching("SigLIP2-B-32")], PAPER)
    assert problems is not None
    assert problems.startswith("models.SigLIP2-B-32: needs the library transformers")
    assert find_problems([fetching("RN50")], PAPER) is None


LONG = " ".join(["a humanoid robot kneeling"] * 7)


@pytest.mark.parametrize(
    "reading",
    [
        Job("embed_prompts", {"task": "kneeling", "model": "new-S"}, ("prompts.h5",)),
        Job("train_policy", RUN | {"reward_source": "new-S"}, ("policy.zip",)),
    ],
)
def test_a_sentence_that_is_too_long_is_refused_before_its_model_is_trained(machine, reading):
    new = SimulatorModel(source="simulator", architecture="sim-S", corpus="sim")
    task = DEMO.tasks["kneeling"].model_copy(update={"goal": LONG})
    config = DEMO.model_copy(
        update={
            "models": {"new-S": new},
            "corpora": {"sim": Corpus(frames={"humanoid": {"textured-fixed": 100}})},
            "tasks": {**DEMO.tasks, "kneeling": task},
        }
    )
    making = Job("train_model", {"model": "new-S"}, ("resources/models/new-S",))
    problem = find_problems([making, reading], config)
    assert problem.startswith("tasks.kneeling: 'a humanoid robot kneeling a humanoid robot")
    assert "' is longer than models.new-S reads (40 tokens): it would not read '" in problem
    assert "would not read 'humanoid robot kneeling'" in problem
    # However many jobs read it, one line says so.
    assert find_problems([making, reading, reading], config) == problem
    # A model that is there refuses it in the first seconds.
    assert find_problems([reading], config) is None
    assert find_problems([making, reading], config.model_copy(update={"tasks": DEMO.tasks})) is None


def test_an_agent_is_warned_of_a_scene_that_its_model_has_not_seen():
    jobs = [training("sim-L"), training("sim-L")._replace(rule="embed_frames")]
    assert scene_warnings(jobs, DEMO) == []
    textured = [job._replace(wildcards=job.wildcards | {"scene": "textured"}) for job in jobs]
    [warning] = scene_warnings(textured, DEMO)
    assert warning.startswith("sim-L has never seen humanoid in textured, only in textured-fixed;")
    assert scene_warnings(textured[1:], DEMO) == []
