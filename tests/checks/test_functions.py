"""Functions that cannot be imported or made are reported before the first job."""

import pytest

from tests.plan.jobs import PAPER, RUN
from vlmrm.checks import functions
from vlmrm.config import FunctionModel
from vlmrm.errors import UserError
from vlmrm.models.folder import check_model_folder, save_function_folder
from vlmrm.plan.jobs import Job

MODULE = """
import os
from pathlib import Path

def make(size=1):
    Path("made").touch()
    if size > 3:
        raise ValueError(f"no weights of size {size}")
    if size < 0:
        os.abort()
    return lambda frames, sentence: [0.0] * len(frames)
"""


@pytest.fixture
def problems(monkeypatch, tmp_path):
    """The lines about a function in this folder, for jobs of these rules."""
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)

    def find(rules, function="mine:make", load=True, **settings):
        model = FunctionModel(source="function", function=function, settings=settings)
        config = PAPER.model_copy(update={"models": {**PAPER.models, "f": model}})
        wildcards = {"make_function_model": {"model": "f"}, "score_frames": {"model": "f"}}
        train = RUN | {"reward_source": "f"}
        jobs = [Job(rule, wildcards.get(rule, train)) for rule in rules]
        return list(functions.function_problems(jobs, config, load))

    return find


NEW = ("make_function_model", "score_frames", "train_policy")


def test_a_new_function_is_made_and_one_that_was_made_is_imported(problems, tmp_path):
    assert problems(["score_frames", "train_policy"]) == []
    assert not (tmp_path / "made").exists()
    assert problems(NEW) == []
    assert (tmp_path / "made").exists()


def test_on_a_cluster_no_weights_are_loaded(problems, tmp_path):
    assert problems(NEW, load=False) == []
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("rules", "function", "settings", "message"),
    [
        (["train_policy"], "mine:mkae", {}, "models.f.function: mine has no function 'mkae'"),
        (["score_frames"], "mine:make", {"width": 1}, "models.f.settings: mine:make does not take"),
        (NEW, "mine:make", {"size": 4}, "raised ValueError: no weights of size 4"),
        (NEW, "mine:make", {"size": -1}, "models.f: its check ended with exit status -6"),
    ],
)
def test_a_function_that_fails_is_one_line(problems, rules, function, settings, message):
    (problem,) = problems(rules, function, **settings)
    assert message in problem
    assert "\n" not in problem


def test_without_functions_nothing_is_asked(monkeypatch):
    monkeypatch.setattr("subprocess.run", None)
    jobs = [Job("train_policy", RUN | {"reward_source": "oracle"}), Job("embed_frames", {})]
    assert list(functions.function_problems(jobs, PAPER, load=True)) == []


def test_its_folder_is_no_clip_model(tmp_path):
    model = FunctionModel(source="function", function="mine:make")
    save_function_folder(tmp_path / "f", model)
    with pytest.raises(UserError, match="is a function without weights; use `vlmrm score-frames`"):
        check_model_folder(tmp_path / "f")
