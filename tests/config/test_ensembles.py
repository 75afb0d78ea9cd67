"""Ensembles in configurations."""

import pytest

from vlmrm.config import TrainingRun, check_run, parse_config
from vlmrm.config.ensembles import ensemble_settings, towers
from vlmrm.errors import UserError

DUO = {"source": "ensemble", "members": ["smoke-S", "sim-XS"], "reference": "kneeling"}
VIEWS = {**DUO, "members": ["sim-XS"], "scenes": ["textured-fixed", "textured-left"]}


@pytest.fixture
def base(content):
    """The smoke run without what its ensembles and rounds add."""
    del content["models"]["duo"], content["models"]["views"], content["epic"]["standing"]
    content["epic"]["kneeling"]["models"].remove("views")
    content["experiments"]["other-sources"]["models"].remove("views")
    return {**content, "rounds": {}, "predictions": {}}


def test_members_are_models_scenes_and_sentences(base):
    base["models"] |= {"duo": {**DUO, "prompts": "separate"}, "views": VIEWS}
    config = parse_config(base)
    assert parse_config(config.model_dump(mode="json")) == config
    duo = ensemble_settings(config, "duo", "standing", "textured")
    assert [(m.model, m.scene) for m in duo.members] == [
        *[("smoke-S", "textured")] * 2,
        *[("sim-XS", "textured")] * 2,
    ]
    assert {m.goal for m in duo.members} == set(config.tasks["standing"].goals)
    views = ensemble_settings(config, "views", "kneeling", "textured-fixed")
    assert views.scenes == VIEWS["scenes"] and views.models == ["sim-XS"]
    assert all(m.goal is None for m in views.members)


def test_an_image_tower_sees_each_view(base):
    base["models"] |= {"duo": DUO, "views": VIEWS}
    config = parse_config(base)
    assert towers(config, "duo") == ["smoke-S", "sim-XS"]
    assert towers(config, "views") == ["sim-XS", "sim-XS"]
    assert towers(config, "smoke-S") == ["smoke-S"]
    assert towers(config, "oracle") == []


def test_training_on_views_renders_each(base):
    base["models"]["views"] = VIEWS
    run = TrainingRun(task="kneeling", scene="textured-fixed", reward_source="views", seed=0)
    settings = parse_config(base).training_settings(run)
    assert settings.scenes == VIEWS["scenes"]
    single = run.model_copy(update={"reward_source": "sim-XS"})
    assert parse_config(base).training_settings(single).scenes == ["textured-fixed"]


def measured(task="kneeling", scenes=("textured-fixed",), states="kneeling"):
    return {"m": {"task": task, "states": states, "scenes": list(scenes), "models": ["duo"]}}


TRAINED = {"tasks": ["kneeling"], "models": ["duo"], "scorings": ["alpha-0"], "seeds": [0]}
LEARNED = {"frames": {"humanoid": {"textured-fixed": 60}}, "states": ["kneeling"]}
OWN_AGENT = {
    "sampler": "rollouts",
    "size": 20,
    "run": {
        "task": "kneeling", "scene": "textured-fixed", "reward_source": "duo",
        "scoring": "alpha-0", "seed": 0,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("duo", "change", "answer"),
    [
        ({"members": ["smoke-S", "sim-X"]}, {}, "models.duo.members: unknown name 'sim-X'; did"),
        ({"members": ["sim-XS", "sim-XS"]}, {}, "models.duo.members: 'sim-XS' is listed twice"),
        ({"members": ["sim-XS"]}, {}, "models.duo.members: only one; name others, several"),
        ({"members": []}, {}, "models.duo.members: empty; name at least one"),
        ({"members": ["sim-XS", "duo"]}, {}, "models.duo.members: 'duo' has source: ensemble"),
        ({"penalty": 2}, {}, "models.duo.penalty: has no effect with aggregate: mean; remove it"),
        ({"reference": "knee"}, {}, "models.duo.reference: unknown name 'knee'"),
        (
            {"scenes": ["textured-lft"]},
            {},
            "models.duo.scenes: humanoid has no scene 'textured-lft'; did you mean 'textured-left'",
        ),
        (
            {},
            {"epic": measured("mountain-car", ["textured"], "car")},
            "models.duo.reference: 'kneeling' holds humanoid states, but epic.m has the "
            "mountain-car task 'mountain-car'",
        ),
        (
            {"prompts": "separate"},
            {"epic": measured()},
            "tasks.kneeling.goal: only one sentence, which cannot be separate members of 'duo'",
        ),
        (
            {"prompts": "separate"},
            {
                "epic": measured("standing"),
                "tasks": {
                    "standing": {
                        "environment": "humanoid",
                        "goal": ["a humanoid robot standing", "A humanoid robot"],
                        "baseline": "a humanoid robot",
                        "oracle": "standing",
                    }
                },
            },
            "tasks.standing.goal: 'A humanoid robot' is the baseline, too, so no alpha above 0",
        ),
        (
            {"scenes": ["textured-left"]},
            {"epic": measured()},
            "epic.m.scenes: 'duo' has views of its own, which count as textured-left; write that",
        ),
        (
            {"scenes": ["textured-left"]},
            {"experiments": {"e": TRAINED}},
            "experiments.e.scenes: 'duo' has views of its own, which count as textured-left",
        ),
        (
            {},
            {"experiments": {"e": {**TRAINED, "scorings": ["alpha-0.3"]}}},
            "experiments.e.scorings: alpha-0.3 is not scored for task 'kneeling', but 'duo' is",
        ),
        (
            {},
            {"corpora": {"smoke": LEARNED}},
            "models.duo.reference: 'kneeling' is in the corpus of 'smoke-S'; use other states",
        ),
        (
            {"reference": "met"},
            {"state_sets": {"met": OWN_AGENT}},
            "models.duo.reference: met by an agent that learns from 'duo'; use other states",
        ),
    ],
)
def test_mistakes_are_named(base, duo, change, answer):
    sections = {name: {**base.get(name, {}), **entries} for name, entries in change.items()}
    models = {**base["models"], "duo": {**DUO, **duo}}
    if "corpora" in change:  # whose own states are measured
        sections |= {"epic": {}, "experiments": {}, "optimization": {}}
    with pytest.raises(UserError) as error:
        parse_config({**base, "models": models, **sections})
    assert answer in str(error.value)


def test_states_that_a_member_learned_from_are_not_measured(base):
    base["corpora"]["smoke"]["states"] = ["paths"]
    base["state_sets"]["learned"] = {"sampler": "union", "sets": ["paths"]}
    base["models"]["duo"] = DUO
    base |= {"epic": measured(states="learned"), "landscapes": {}}
    with pytest.raises(UserError, match="'paths' is in the corpus of 'smoke-S'; use other states"):
        parse_config(base)


def test_a_corpus_of_states_that_an_ensembles_agent_met_needs_its_members(base):
    base["models"]["duo"] = DUO
    base["state_sets"]["met"] = OWN_AGENT
    base["corpora"]["smoke"]["states"] = ["met"]
    with pytest.raises(UserError, match="met by agents that are trained on a model of this corpus"):
        parse_config(base)


def test_a_single_run_is_checked_as_an_experiment_is(base):
    base["models"]["views"] = VIEWS
    config = parse_config(base)
    run = TrainingRun(task="kneeling", scene="gymnasium", reward_source="views", seed=0)
    with pytest.raises(UserError, match=r"^--scene: 'views' has views of its own"):
        check_run(config, run)
    run = run.model_copy(update={"scene": "textured-fixed"})
    check_run(config, run)
    with pytest.raises(UserError, match=r"^--scoring: alpha-0\.2 is not scored"):
        check_run(config, run.model_copy(update={"scoring": "alpha-0.2"}))
