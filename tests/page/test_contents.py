"""Which figures a run has."""

import pytest

from tests.paths import smoke_all
from vlmrm.config import parse_config
from vlmrm.page.contents import (
    compares_sizes,
    contents,
    first_exhibits,
    measurements_of,
    sized_models,
)


@pytest.fixture
def content():
    return smoke_all()


def compared(content):
    """The experiments with a figure of success by size."""
    config = parse_config(content, "test")
    exhibits = [exhibit for section in contents(config) for exhibit in section.exhibits]
    names = [e.subject for e in exhibits if e.caption == "success-by-size"]
    assert names == [name for name in config.experiments if compares_sizes(config, name)]
    return names


def test_an_experiment_with_models_of_several_sizes_has_a_figure_by_size(content):
    assert compared(content) == ["other-sources"]
    content["experiments"]["humanoid"]["models"].append("sim-XS")
    assert compared(content) == ["humanoid", "other-sources"]


@pytest.mark.parametrize("model", ["brightness", "random-XS"])
def test_functions_and_controls_are_no_size(content, model):
    content["experiments"]["humanoid"]["models"].append(model)
    assert compared(content) == ["other-sources"]


def test_two_models_of_one_architecture_have_one_size(content):
    content["models"]["again"] = {**content["models"]["smoke-S"], "seed": 1}
    content["experiments"]["humanoid"]["models"].append("again")
    assert compared(content) == ["other-sources"]


def test_distances_stand_beside_it_where_several_of_its_models_were_measured(content):
    config = parse_config(content, "test")
    assert sized_models(config, "other-sources") == ["smoke-S", "views"]
    assert measurements_of(config, "other-sources") == ["kneeling"]
    assert measurements_of(config, "classic-control") == []


def test_the_first_page_shows_what_is_measured_without_agents(content):
    shown = {(e.caption, e.subject) for e in first_exhibits(parse_config(content, "test"))}
    assert {("landscape", "kneeling"), ("epic", "kneeling"), ("diagnosis", "words")} <= shown
    # The agents of round 0 are trained before the model of round 1, and met the states.
    assert not {subject for _, subject in shown if subject.startswith("smoke-S-")}
    assert ("epic-overview", "") not in shown
    del content["rounds"], content["predictions"]
    shown = {(e.caption, e.subject) for e in first_exhibits(parse_config(content, "test"))}
    assert ("epic-overview", "") in shown


def test_random_actions_are_met_without_training(content):
    content["tasks"] |= {"swung": content["tasks"]["upright"]}
    run = {"task": "swung", "scene": "default", "reward_source": "random-policy", "seed": 0}
    states = {"sampler": "rollouts", "environment": "pendulum", "run": run, "size": 40}
    content["state_sets"]["met"] = states
    measured = {"task": "swung", "states": "met", "scenes": ["default"], "models": ["sim-XS"]}
    content["epic"]["swung"] = measured
    first = {e.subject for e in first_exhibits(parse_config(content, "test"))}
    assert "swung" in first
    run["reward_source"] = "sim-XS"
    first = {e.subject for e in first_exhibits(parse_config(content, "test"))}
    assert "swung" not in first
