"""Functions as reward models in a configuration."""

import pytest

from vlmrm.config import TrainingRun, check_run, parse_config
from vlmrm.errors import UserError

FUNCTION = {"source": "function", "function": "examples.rewards.brightness:make_reward"}
AGENTS = {"tasks": ["kneeling"], "models": ["f"], "scorings": ["alpha-0"], "seeds": [0]}
ROLLOUTS = {
    "sampler": "rollouts",
    "run": {"task": "kneeling", "scene": "textured-fixed", "reward_source": "f", "seed": 0},
    "size": 10,
}


@pytest.fixture
def content(content):
    content["models"]["f"] = dict(FUNCTION)
    return content


def test_a_version_is_a_text_whatever_yaml_makes_of_it(content):
    content["models"]["f"]["version"] = 2
    assert parse_config(content).models["f"].version == "2"


def test_the_resolved_configuration_means_the_same(content):
    content["models"]["f"]["settings"] = {"question": "is it?", "sizes": [1, None, {"a": True}]}
    config = parse_config(content)
    assert parse_config(config.model_dump(mode="json")) == config


def test_a_plain_score_reads_the_goal_alone(content):
    def read():
        config = parse_config(content)
        run = TrainingRun(task="kneeling", scene="textured-fixed", reward_source="f", seed=0)
        return config.function_settings("f", "kneeling"), config.training_settings(run)

    scoring, training = read()
    assert scoring.scorings == ["alpha-0"]
    assert scoring.sentences == training.prompts.sentences == ["a humanoid robot kneeling"]
    content["tasks"]["kneeling"]["baseline"] = "another sentence"
    content["wide_frames"] = "pad"
    content["precision"] = "float16"
    content["scorings"].append("alpha-0.25")
    assert read() == (scoring, training)
    content["models"]["f"]["version"] = "2"
    assert all(new != old for new, old in zip(read(), (scoring, training), strict=True))


def test_figures_of_one_scoring_have_one_that_all_their_models_have(content):
    content["scorings"] = ["contrast-0.2", *content["scorings"]]
    content["epic"]["standing"]["models"] = ["f", "sim-XS"]
    assert parse_config(content).gallery_settings("standing").scoring == "alpha-0"
    content["models"]["f"]["embeddings"] = True
    assert parse_config(content).gallery_settings("standing").scoring == "contrast-0.2"


def test_embeddings_read_what_every_scoring_reads(content):
    content["models"]["f"]["embeddings"] = True
    settings = parse_config(content).function_settings("f", "kneeling")
    assert settings.scorings == content["scorings"]
    assert settings.baselines and settings.contrasts


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (
            {"experiments": {"e": {**AGENTS, "scorings": ["alpha-0", "alpha-0.5"]}}},
            "experiments.e.scorings: alpha-0.5 needs embeddings, but models.f gives its plain "
            "score alone; write alpha-0, or set models.f.embeddings",
        ),
        (
            {
                "state_sets": {
                    "r": {**ROLLOUTS, "run": {**ROLLOUTS["run"], "scoring": "contrast-0.05"}}
                }
            },
            "state_sets.r.run.scoring: contrast-0.05 needs embeddings",
        ),
        (
            {
                "models": {"f": {**FUNCTION, "window": 4}},
                "experiments": {"e": {**AGENTS, "tasks": ["cartpole"]}},
            },
            "models.f.window: 4 frames, but task 'cartpole' looks up the reward of single ones; "
            "write 1, or remove training.cartpole.lookup",
        ),
        ({"models": {"f": {**FUNCTION, "function": "no path"}}}, "models.f.function: "),
        ({"models": {"f": {**FUNCTION, "window": 0}}}, "models.f.window: "),
        ({"models": {"f": {**FUNCTION, "architecture": "sim-S"}}}, "models.f.architecture: "),
    ],
)
def test_what_a_function_cannot_give_names_the_key(content, change, answer):
    for section, entries in change.items():
        content[section].update(entries)
    with pytest.raises(UserError) as error:
        parse_config(content)
    assert answer in str(error.value)


def test_a_plain_score_must_be_among_the_scorings_where_it_is_measured(content):
    content["scorings"] = ["alpha-0.5", "contrast-0.05"]
    content |= {"rounds": {}, "predictions": {}, "experiments": {}, "optimization": {}}
    del content["state_sets"]["rollouts"]
    content["epic"]["kneeling"]["models"].remove("brightness")
    parse_config(content)
    content["epic"]["kneeling"]["models"].append("f")
    with pytest.raises(UserError, match=r"scorings: lacks alpha-0, the plain score of models\.f"):
        parse_config(content)


def test_a_single_run_is_refused_as_an_experiment_is(content):
    config = parse_config(content)
    run = TrainingRun(
        task="kneeling", scene="textured-fixed", reward_source="f", scoring="alpha-0.5", seed=0
    )
    with pytest.raises(UserError, match=r"^--scoring: alpha-0\.5 needs embeddings"):
        check_run(config, run)
