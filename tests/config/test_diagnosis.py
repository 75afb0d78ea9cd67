"""Diagnoses of a configuration."""

import pytest

from vlmrm.config import DiagnosisStates, parse_config
from vlmrm.config.diagnosis import diagnosed_tasks
from vlmrm.errors import UserError

POSES = {"sampler": "diagnosis", "poses": 16}


@pytest.fixture
def diagnosed(content):
    """A configuration with a diagnosis of all its humanoid tasks."""
    content["state_sets"]["poses"] = dict(POSES)
    content["diagnoses"] = {"all": {"states": "poses", "models": ["sim-XS"]}}
    return content


def test_all_humanoid_tasks_with_an_oracle_are_diagnosed_by_default(diagnosed):
    del diagnosed["tasks"]["standing"]["oracle"]
    del diagnosed["epic"]["standing"]  # judged by this oracle
    config = parse_config(diagnosed)
    (diagnosis,) = config.diagnoses.values()
    assert diagnosed_tasks(config, diagnosis) == ["kneeling"]
    assert diagnosis.scenes == ["textured-fixed"]
    settings = config.diagnosis_settings("all")
    assert settings.oracles == {"kneeling": "kneeling"}
    assert settings.scorings == config.scorings
    (prompts,) = settings.prompts
    assert prompts == config.prompt_settings("kneeling") and prompts.contrasts


def test_the_set_has_paths_and_poses_of_each_task():
    states = DiagnosisStates(**POSES)
    assert states.size == 8 * (41 + 16)


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"states": "pose"}, "diagnoses.all.states: unknown name 'pose'; did you mean 'poses'?"),
        ({"states": "kneeling"}, "'kneeling' must be a set with sampler: diagnosis"),
        ({"models": ["sim-X"]}, "diagnoses.all.models: unknown name 'sim-X'"),
        ({"models": ["duo"]}, "diagnoses.all.models: 'duo' has source: ensemble; name"),
        ({"models": ["brightness"]}, "'brightness' has source: function; name models"),
        ({"tasks": ["kneelin"]}, "diagnoses.all.tasks: unknown name 'kneelin'"),
        ({"tasks": ["cartpole"]}, "diagnoses.all.tasks: 'cartpole' is no humanoid task; remove it"),
        ({"scenes": ["texture"]}, "diagnoses.all.scenes: unknown name 'texture'"),
        ({"scenes": []}, "diagnoses.all.scenes: empty; name at least one"),
    ],
)
def test_mistakes_are_named(diagnosed, change, answer):
    diagnosed["diagnoses"]["all"] |= change
    with pytest.raises(UserError) as error:
        parse_config(diagnosed)
    assert answer in str(error.value)


def test_a_scoring_needs_its_sentences_here_too(diagnosed):
    del diagnosed["tasks"]["standing"]["baseline"]
    diagnosed |= {"epic": {}, "predictions": {}, "rounds": {}, "landscapes": {}}
    with pytest.raises(UserError, match=r"tasks.standing.baseline: missing; alpha-0.5 needs"):
        parse_config(diagnosed)
