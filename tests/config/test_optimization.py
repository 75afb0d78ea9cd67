"""The over-optimization study of experiments."""

import pytest

from vlmrm.config import RolloutStates, parse_config
from vlmrm.errors import UserError

TRAINED = {"tasks": ["kneeling"], "models": ["smoke-S"], "scorings": ["alpha-0"]}
MANY = {**TRAINED, "seeds": list(range(1000)), "scorings": ["alpha-0", "alpha-1"]}
KNEELING = {"environment": "humanoid", "goal": "a robot kneeling", "oracle": "kneeling"}
SET = "humanoid-kneeling-textured-fixed-smoke-S-alpha-0-0"


def test_the_agents_on_models_get_a_set_of_states_each(content):
    config = parse_config(content)
    states = config.state_sets[SET]
    assert isinstance(states, RolloutStates)
    assert (states.run.reward_source, states.explore, states.size) == ("smoke-S", False, 40)
    assert not any("-oracle-" in name for name in config.state_sets)


def test_the_resolved_configuration_means_the_same(content):
    config = parse_config(content)
    assert parse_config(config.model_dump(mode="json")) == config


def test_without_the_study_there_are_no_such_states(content):
    del content["optimization"]
    assert SET not in parse_config(content).state_sets


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (
            {"optimization": {"experiments": ["hum"]}},
            "optimization.experiments: unknown name 'hum'",
        ),
        (
            {
                "experiments": {"x" * 80: {**TRAINED, "seeds": [0]}},
                "optimization": {"experiments": ["x" * 80]},
            },
            "-smoke-S-alpha-0-0', a state set of 'xxx",
        ),
        (
            {"experiments": {"many": MANY}, "optimization": {"experiments": ["many"]}},
            "optimization.experiments: 2,000 agents of 'many', more than 1,000",
        ),
        (
            {"scorings": ["alpha-0.5"], "epic": {}},
            "experiments.humanoid.scorings: alpha-0 is not among",
        ),
    ],
)
def test_mistakes_are_named(content, change, answer):
    content["experiments"]["other-sources"]["models"].remove("views")
    with pytest.raises(UserError) as error:
        parse_config({**content, **{"rounds": {}, "landscapes": {}, "predictions": {}}, **change})
    assert answer in str(error.value)


def test_a_state_set_has_one_meaning(content):
    content["state_sets"][SET] = {"sampler": "poses", "task": "kneeling", "size": 50}
    with pytest.raises(UserError, match=rf"state_sets\.{SET}: the name is taken by a set of opt"):
        parse_config(content)


def test_two_agents_share_no_state_set(content):
    content["tasks"] |= dict.fromkeys(("b-c", "c"), KNEELING)
    content["experiments"]["a"] = {**TRAINED, "tasks": ["b-c"], "seeds": [0]}
    content["experiments"]["a-b"] = {**TRAINED, "tasks": ["c"], "seeds": [0]}
    content["optimization"]["experiments"] = ["a", "a-b"]
    with pytest.raises(UserError, match=r"'a-b-c-textured-fixed-smoke-S-alpha-0-0' is a state set"):
        parse_config(content)
