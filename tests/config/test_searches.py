"""Searches that climb rewards."""

import pytest

from vlmrm.config import parse_config
from vlmrm.config.searches import canonical_control
from vlmrm.errors import UserError

SEARCH = {
    "tasks": ["kneeling"],
    "models": ["sim-XS"],
    "controls": ["oracle-score", "flipped-0.10"],
    "seeds": [0, 1],
}


def test_every_reward_is_climbed_from_every_seed(content):
    config = parse_config({**content, "searches": {"poses": SEARCH}})
    runs = [(run.reward_source, run.seed) for run in config.searches["poses"].runs()]
    sources = ["sim-XS", "oracle-score", "flipped-0.1"]
    assert runs == [(source, seed) for seed in (0, 1) for source in sources]


def test_a_control_reads_no_sentence(content):
    config = parse_config({**content, "searches": {"poses": SEARCH}})
    by_model, by_score, _ = list(config.searches["poses"].runs())[:3]
    assert config.search_settings("poses", by_model).prompts.goals == ["a humanoid robot kneeling"]
    assert config.search_settings("poses", by_score).prompts.goals == []


def test_models_with_random_weights_are_controls(content):
    search = {**SEARCH, "models": ["sim-XS", "random-XS"]}
    config = parse_config({**content, "searches": {"poses": search}})
    controls = config.search_figure_settings("poses").controls
    assert controls == ["random-XS", "oracle-score", "flipped-0.1"]


@pytest.mark.parametrize("name", ["flipped-0.5", "flipped--1", "flipped-nan", "flipped", "oracle"])
def test_what_is_no_control_is_refused(name):
    with pytest.raises(ValueError, match="is no control"):
        canonical_control(name)


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"tasks": ["kneel"]}, "searches.poses.tasks: unknown name 'kneel'"),
        ({"tasks": ["cartpole"]}, "searches.poses.tasks: 'cartpole' is no humanoid task"),
        ({"models": ["sim-XXS"]}, "searches.poses.models: unknown name 'sim-XXS'"),
        ({"scene": "textured-fix"}, "searches.poses.scene: unknown name 'textured-fix'"),
        ({"models": [], "controls": []}, "searches.poses.models: empty, as are the controls"),
        ({"scorings": []}, "searches.poses.scorings: empty"),
        ({"survivors": 65}, "searches.poses.survivors: 65 is above population (64)"),
        (
            {"seeds": list(range(1000)), "scorings": [f"alpha-0.{n}" for n in range(1, 10)]},
            "11,000",
        ),
        ({"controls": ["flipped-0.6"]}, "searches.poses.controls.0: 'flipped-0.6' is no control"),
    ],
)
def test_mistakes_are_named(content, change, answer):
    with pytest.raises(UserError) as error:
        parse_config({**content, "searches": {"poses": {**SEARCH, **change}}})
    assert answer in str(error.value)


def test_a_task_without_oracle_is_refused(content):
    task = {"environment": "humanoid", "goal": "a robot that dances"}
    content["tasks"]["dancing"] = task
    content["searches"] = {"poses": {**SEARCH, "tasks": ["dancing"]}}
    with pytest.raises(UserError, match=r"tasks\.dancing\.oracle: missing, but searches\.poses"):
        parse_config(content)


def test_a_scoring_without_its_sentence_is_refused(content):
    content["tasks"]["raised"] = {
        "environment": "humanoid",
        "goal": "a robot with raised arms",
        "oracle": "arms-raised",
    }
    search = {**SEARCH, "tasks": ["raised"], "scorings": ["alpha-0.5"]}
    with pytest.raises(UserError, match=r"tasks\.raised\.baseline: missing"):
        parse_config({**content, "searches": {"poses": search}})


def test_two_searches_share_no_figure(content):
    content["searches"] = {"poses": SEARCH, "gallery-poses": SEARCH}
    with pytest.raises(UserError, match=r"searches\.gallery-poses: search-gallery-poses\.svg is"):
        parse_config(content)
