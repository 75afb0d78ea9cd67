"""Measures of sentences, with made-up embeddings."""

from dataclasses import replace

import numpy as np
import pytest

from tests.paths import ROOT
from vlmrm.config import load_config
from vlmrm.data.states import States
from vlmrm.diagnosis.sentences import (
    AVERAGE,
    KNOWN,
    PARAPHRASES,
    Sentences,
    measure_images,
    measure_sentences,
)
from vlmrm.errors import UserError

TASKS = tuple(KNOWN)
POSES, POINTS = 80, 5


def test_every_pose_has_a_known_sentence_and_others():
    tasks = load_config(ROOT / "config.yaml").tasks
    assert list(PARAPHRASES) == list(TASKS)
    for task in TASKS:
        assert tasks[task].goals == [KNOWN[task]]
        assert len({*PARAPHRASES[task]} - {KNOWN[task]}) >= 9


def basis(axis):
    return np.eye(len(TASKS) + 1, dtype=np.float32)[axis]


@pytest.fixture
def states():
    """Paths to the first two tasks, then ten poses of each task."""
    path = np.repeat([*TASKS[:2], ""], [POINTS, POINTS, POSES])
    progress = np.concatenate([np.tile(np.linspace(0, 1, POINTS), 2), np.zeros(POSES)])
    member = np.concatenate([np.full(2 * POINTS, -1), np.arange(POSES) % len(TASKS)])
    labels = {task: member == i for i, task in enumerate(TASKS)}
    scores = {f"score {task}": np.where(labels[task], 1, 0.2) for task in TASKS}
    columns = {"path": path, "progress": progress, **scores}
    return States("humanoid", np.zeros((len(path), 47)), columns, labels)


@pytest.fixture
def images(states):
    """Each pose is the direction of its task; paths go from nowhere to their task."""
    rows = []
    for number, (path, progress) in enumerate(
        zip(states.columns["path"], states.columns["progress"], strict=True)
    ):
        axis = TASKS.index(path) if path else (number - 2 * POINTS) % len(TASKS)
        share = progress if path else 0.9
        rows.append(share * basis(axis) + np.sqrt(1 - share**2) * basis(-1))
    return np.array(rows, np.float32)


@pytest.fixture
def prompts():
    """Every known sentence means its pose."""
    return {
        text: basis(i) for i, task in enumerate(TASKS) for text in (KNOWN[task], *PARAPHRASES[task])
    }


def test_a_perfect_model_prefers_the_pose_and_rises_on_its_path(states, images, prompts):
    for oracle in ("kneeling", None):
        goals = Sentences([KNOWN["kneeling"]])
        (row,) = measure_sentences(states, images, prompts, goals, ["alpha-0"], oracle)
        assert row["preferred"] == row["oracle"] == "kneeling"
        assert row["progress"] == pytest.approx(1)
        assert (row["auroc"], row["kneeling"], row["fooled"]) == (1, 1, 0)
        assert row["spread"] == pytest.approx(1)


def test_a_sentence_for_another_pose_is_measured_on_the_named_one(states, images, prompts):
    goals = Sentences([KNOWN["lotus"]])
    (row,) = measure_sentences(states, images, prompts, goals, ["alpha-0"], "kneeling")
    assert (row["preferred"], row["oracle"], row["lotus"]) == ("lotus", "kneeling", 1)
    assert row["auroc"] == row["kneeling"] < 0.5


def test_several_goals_are_measured_alone_and_averaged(states, images, prompts):
    texts = [KNOWN["kneeling"], KNOWN["lotus"]]
    sentences = Sentences(texts, [KNOWN["standing"]], [KNOWN["splits"]])
    scorings = ["alpha-0", "alpha-0.5", "contrast-0.05"]
    rows = measure_sentences(states, images, prompts, sentences, scorings)
    named = [(row["goal"], row["scoring"]) for row in rows]
    assert named == [(goal, s) for goal in (AVERAGE, *texts) for s in scorings]
    assert rows[0]["kneeling"] == rows[0]["lotus"] < 1


def test_a_goal_that_is_a_baseline_counts_in_the_average_alone(states, images, prompts):
    texts = [KNOWN["kneeling"], KNOWN["standing"]]
    sentences = Sentences(texts, [KNOWN["standing"]])
    rows = measure_sentences(states, images, prompts, sentences, ["alpha-0.5"])
    assert [row["goal"] for row in rows] == [AVERAGE, KNOWN["kneeling"]]


def test_images_are_measured_by_their_labels_and_other_sentences(images, prompts):
    goal, *contrasts = (KNOWN[task] for task in ("kneeling", "lotus", "splits"))
    sentences, scorings = Sentences([goal], contrasts=contrasts), ["alpha-0", "contrast-0.05"]
    labels = images @ prompts[goal] > 0.8
    found = measure_images(images, prompts, sentences, scorings, labels)
    assert [row["scoring"] for row in found.rows] == scorings
    for row, rewards in zip(found.rows, found.rewards, strict=True):
        assert (row["goal"], row["auroc"], row["std"]) == (goal, 1, rewards.std())
    closer = {row["sentence"]: row["closer"] for row in found.others}
    assert list(closer) == contrasts
    for text in contrasts:
        assert closer[text] == np.mean(images @ prompts[goal] > images @ prompts[text])


def test_images_without_labels_have_a_spread_alone(images, prompts):
    found = measure_images(images, prompts, Sentences([KNOWN["lotus"]]), ["alpha-0"])
    (row,) = found.rows
    assert row == {"goal": KNOWN["lotus"], "scoring": "alpha-0", "std": found.rewards[0].std()}
    assert found.others == []


def test_poses_that_show_no_success_are_refused(states, images, prompts):
    none = {**states.labels, "splits": np.zeros(len(states), bool)}
    with pytest.raises(UserError, match="none or all of the poses show splits; use more poses"):
        measure_sentences(
            replace(states, labels=none), images, prompts, Sentences(["a"]), ["alpha-0"]
        )


def test_a_baseline_that_is_the_goal_is_an_error_of_the_user(states, images, prompts):
    same = Sentences([KNOWN["kneeling"]], [KNOWN["kneeling"]])
    with pytest.raises(UserError, match="--goal, --baseline: alpha > 0 needs"):
        measure_sentences(states, images, prompts, same, ["alpha-0.5"])


def test_paraphrases_say_what_other_words_are_worth(states, images, prompts, monkeypatch):
    monkeypatch.setitem(PARAPHRASES, "kneeling", ["right", "wrong", "between"])
    other = (basis(TASKS.index("kneeling")) + basis(TASKS.index("lotus"))) / np.sqrt(2)
    prompts |= {"right": prompts[KNOWN["kneeling"]], "wrong": prompts[KNOWN["lotus"]]}
    prompts |= {"between": other, "RIGHT": prompts["right"], "Wrong ": prompts["wrong"]}
    goals = Sentences([KNOWN["kneeling"]], [KNOWN["standing"]])
    arguments = (states, images, prompts, goals, ["alpha-0", "alpha-0.5"], "kneeling")
    plain, regularized = measure_sentences(*arguments)
    others = Sentences(["RIGHT"], ["Wrong "])
    (right,) = measure_sentences(states, images, prompts, others, ["alpha-0.5"], "kneeling")
    monkeypatch.setitem(PARAPHRASES, "kneeling", [])
    alone, _ = measure_sentences(*arguments)
    assert right["wording_low"] == right["wording_high"]  # the others are said already
    # "wrong" puts the ten poses of lotus above those of kneeling, "between" beside them.
    areas = [plain[name] for name in ("wording_low", "wording", "wording_high")]
    assert areas == pytest.approx([3 / 7, 13 / 14, 1])
    assert regularized["wording_high"] == 1
    assert alone == {key: value for key, value in plain.items() if "wording" not in key}
