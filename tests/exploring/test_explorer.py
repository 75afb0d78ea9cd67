"""Answers about the humanoid's poses, and about pictures."""

import copy
import dataclasses

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.paths import ROOT
from tests.processes import vlmrm
from vlmrm.config import SCENES, parse_config, read_layer
from vlmrm.config.settings import ScoringSettings
from vlmrm.data.pictures import labeled_pictures
from vlmrm.data.states import States
from vlmrm.diagnosis.sentences import KNOWN, Sentences
from vlmrm.errors import UserError
from vlmrm.exploring.collection import PictureFolder
from vlmrm.exploring.explorer import EmbeddedCollection, Explorer
from vlmrm.exploring.query import Query
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import check_model_folder
from vlmrm.rewards.scoring import score_states

KNEELING = Query("sim-XS", "alpha-0", Sentences(["a humanoid robot kneeling"]))
FREE = Query("sim-XS", "alpha-0", Sentences(["a robot that kneels on the floor"]))
RIVALS = [goal for name, goal in KNOWN.items() if name != "kneeling"]


@pytest.mark.parametrize("scoring", ["alpha-0", "alpha-0.5", "alpha-1", "contrast-0.05"])
def test_rewards_are_those_of_the_workflow(explorer, scoring):
    goals = ["a humanoid robot kneeling", "a robot on its knees"]
    settings = ScoringSettings(
        task="kneeling",
        environment="humanoid",
        goals=goals,
        baselines=["a humanoid robot"],
        contrasts=RIVALS,
        scorings=[scoring],
    )
    model = explorer.models["sim-XS"]
    clip = ClipModel.load(check_model_folder("sim-XS"), "cpu")
    prompts = dict(zip(settings.sentences, clip.embed_prompts(settings.sentences), strict=True))
    expected = score_states(model.images, prompts, settings)["reward"]
    query = Query("sim-XS", scoring, Sentences(goals, ["a humanoid robot"], RIVALS))
    np.testing.assert_allclose(explorer.rank(query)["rewards"], expected, rtol=0, atol=1e-6)


def test_the_judge_is_that_of_the_goal_or_the_one_that_the_sentence_prefers(explorer):
    told = explorer.rank(
        dataclasses.replace(KNEELING, sentences=Sentences(["A humanoid robot  KNEELING"]))
    )
    assert (told["judge"], told["named"]) == ("kneeling", True)
    told = explorer.rank(FREE)
    assert (told["judge"], told["named"]) == ("kneeling", False)
    assert max(told["areas"], key=told["areas"].get) == "kneeling"
    told = explorer.rank(dataclasses.replace(FREE, oracle="lotus"))
    assert (told["judge"], told["named"]) == ("lotus", True)


def test_the_confusion_has_the_goal_the_others_and_every_other_task(explorer):
    query = dataclasses.replace(KNEELING, others=("a robot in the snow",))
    rows = explorer.confuse(query)
    assert [row["own"] for row in rows] == [True] + 8 * [False]
    assert [row["sentences"][0] for row in rows[:2]] == [KNOWN["kneeling"], "a robot in the snow"]
    assert {row["oracle"] for row in rows} == {None, *KNOWN} - {"kneeling"}
    assert rows[0]["areas"] == explorer.rank(KNEELING)["areas"]
    lotus = next(row for row in rows if row["oracle"] == "lotus")
    assert max(lotus["areas"], key=lotus["areas"].get) == "lotus"


def test_a_sentence_that_cannot_be_rewarded_is_left_out_of_the_confusion(explorer):
    sentences = Sentences(KNEELING.sentences.goals, ["a humanoid robot"])
    earlier = ("a humanoid robot", "a robot in the snow")
    rows = explorer.confuse(Query("sim-XS", "alpha-0.5", sentences, others=earlier))
    shown = [row["sentences"][0] for row in rows]
    assert "a robot in the snow" in shown and "a humanoid robot" not in shown


def test_a_goal_that_is_also_a_baseline_has_no_line_alone(explorer):
    goals = [KNOWN["kneeling"], "a humanoid robot", "a robot on its knees"]
    rows = explorer.confuse(Query("sim-XS", "alpha-0.5", Sentences(goals, ["a humanoid robot"])))
    assert [row["sentences"] for row in rows if row["own"]] == [goals, [goals[0]], [goals[2]]]


def test_a_sentence_never_competes_with_itself(explorer):
    # The only other sentence is also the contrast of the query.
    alone = Explorer(explorer.collection, explorer.models, {})
    first, second = KNOWN["kneeling"], KNOWN["lotus"]
    query = Query(
        "sim-XS", "contrast-0.05", Sentences([second], contrasts=[first]), others=(first,)
    )
    _, row = alone.confuse(query)
    against = Query("sim-XS", "contrast-0.05", Sentences([first], contrasts=[second]))
    assert row["areas"] == pytest.approx(alone.rank(against)["areas"])
    assert row["areas"]["kneeling"] > 0.9


def test_a_confusion_by_contrast_has_every_sentence_against_the_others(explorer):
    contrasted = Sentences(KNEELING.sentences.goals, contrasts=["a humanoid robot"])
    query = Query("sim-XS", "contrast-0.05", contrasted)
    rows = explorer.confuse(query)
    assert rows[0]["areas"] == explorer.rank(query)["areas"]
    standing = next(row for row in rows if row["oracle"] == "standing")
    others = [goal for name, goal in KNOWN.items() if name != "standing"]
    alone = Query("sim-XS", "contrast-0.05", Sentences([KNOWN["standing"]], contrasts=others))
    for name, area in explorer.rank(alone)["areas"].items():
        assert standing["areas"][name] == pytest.approx(area, abs=1e-9)


@pytest.mark.parametrize(
    ("query", "options"),
    [(KNEELING, ("--oracle", "kneeling")), (FREE, ())],
    ids=["a task's goal", "a free sentence"],
)
def test_the_diagnosis_is_that_of_the_command(explorer, cache, query, options):
    command = ("diagnose", "--goal", query.sentences.goals[0], "--model", "sim-XS", "--poses", "16")
    run = vlmrm(*command, *options, env=cache)
    assert run.returncode == 0, run.stderr
    told = explorer.diagnose(query)
    for line in told["lines"]:
        assert line in run.stdout
    (row,) = told["rows"]
    assert len(row["values"]) == len(told["heads"])
    assert " ".join(f"{value:.3f}" for value in row["values"]) in " ".join(run.stdout.split())


def test_the_diagnosis_of_a_ranking_has_the_judge_that_the_ranking_shows(explorer):
    """States of which only labels are known, whose first oracle is another."""
    collection = copy.copy(explorer.collection)
    states = collection.states
    collection.states = States(states.environment, states.values, labels=states.labels)
    collection.verdicts = dict(sorted(collection.verdicts.items(), key=lambda v: v[0] != "lotus"))
    labeled = Explorer(collection, explorer.models, {})
    assert next(iter(labeled.collection.verdicts)) == "lotus"
    told = labeled.rank(FREE)
    assert told["judge"] == "kneeling"
    diagnosis = labeled.diagnose(FREE)
    ((place,),) = [[i for i, head in enumerate(diagnosis["heads"]) if "AUROC" in head]]
    (row,) = diagnosis["rows"]
    assert row["values"][place] == pytest.approx(told["areas"]["kneeling"])


def test_the_task_is_part_of_a_configuration(explorer):
    goals = ["a humanoid robot: kneeling", "a robot on its knees"]
    query = Query("sim-XS", "contrast-0.05", Sentences(goals, ["a robot"], RIVALS), "kneeling")
    lines = explorer.task_yaml(query)
    given = yaml.safe_load(lines)
    (name,) = given["tasks"]
    config = parse_config({**read_layer(ROOT / "config" / "own.yaml"), **given})
    task = config.tasks[name]
    assert (task.goals, task.baselines, task.contrasts) == (goals, ["a robot"], RIVALS)
    assert (task.environment, task.oracle) == ("humanoid", "kneeling")
    (run,) = config.runs("explored")
    assert (run.task, run.reward_source, run.scoring) == (name, "sim-XS", "contrast-0.05")
    assert run.scene == SCENES["humanoid"][0]


def test_a_task_without_latin_letters_has_a_name(explorer):
    query = dataclasses.replace(KNEELING, sentences=Sentences(["膝をつく"]))
    assert yaml.safe_load(explorer.task_yaml(query))["tasks"]["task"]["goal"] == "膝をつく"


def test_what_only_the_model_finds_wrong_is_one_line(explorer):
    long = dataclasses.replace(KNEELING, sentences=Sentences(["a robot " * 60]))
    with pytest.raises(UserError, match="is longer than sim-XS reads"):
        explorer.rank(long)
    same = Query("sim-XS", "alpha-0.5", Sentences(["a robot"], ["a robot!"]))
    model = explorer.models["sim-XS"]
    model.prompts(["a robot"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "_embed", lambda text: np.eye(len(model.images[0]))[0])
        with pytest.raises(UserError, match="needs a baseline that differs from the goal"):
            explorer.rank(same)


@pytest.fixture
def pictures(tmp_path):
    for name, level in (("yes", 200), ("no", 30)):
        (tmp_path / name).mkdir()
        for number in range(5):
            pixels = np.full((20 + 40 * number, 300, 3), level + number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return tmp_path


def explorer_of(folder, monkeypatch, cache):
    monkeypatch.setenv("XDG_CACHE_HOME", cache["XDG_CACHE_HOME"])
    collection = PictureFolder(*labeled_pictures(folder))
    model = check_model_folder("sim-XS")
    embedded = EmbeddedCollection(ClipModel.load(model, "cpu"), collection)
    return Explorer(collection, {"sim-XS": embedded}, {})


def test_pictures_have_no_judge_unless_they_are_sorted(pictures, monkeypatch, cache):
    alone = explorer_of(pictures / "yes", monkeypatch, cache)
    told = alone.rank(KNEELING)
    assert (len(told["rewards"]), told["judge"], told["areas"]) == (5, None, {})
    assert alone.diagnose(KNEELING)["lines"][0].startswith("Nothing to judge by")
    contrasted = Query("sim-XS", "alpha-0", Sentences(["a cat"], contrasts=["a dog"]))
    assert "order" in alone.diagnose(contrasted)["lines"][0]
    assert "oracle" not in alone.task_yaml(KNEELING)

    sorted_ = explorer_of(pictures, monkeypatch, cache)
    told = sorted_.rank(KNEELING)
    assert told["judge"] == "yes"
    diagnosis = sorted_.diagnose(KNEELING)
    assert diagnosis["heads"] == ["AUROC", "fooled", "best of 10"]
    assert diagnosis["rows"][0]["values"][0] == pytest.approx(told["areas"]["yes"])
    assert "yes from no" in diagnosis["lines"][0]
