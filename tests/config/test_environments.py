"""Entries of `environments`, and what names them."""

import pytest

from vlmrm.config import TrainingRun, parse_config
from vlmrm.errors import UserError

RUN = {"task": "balanced", "scene": "default", "reward_source": "random-policy", "seed": 0}


@pytest.fixture
def own(content):
    """A configuration with an environment of the user's own."""
    content["environments"]["pole"] = {"id": "CartPole-v1", "success": "upright"}
    content["tasks"]["balanced"] = {"environment": "pole", "goal": "a pole", "oracle": "success"}
    content["training"]["pole"] = {"agent": {"algorithm": "dqn", "total_timesteps": 2000}}
    content["state_sets"]["met"] = {
        "sampler": "rollouts",
        "environment": "pole",
        "run": dict(RUN),
        "size": 10,
    }
    content["experiments"]["pole"] = {
        "tasks": ["balanced"],
        "models": ["smoke-S"],
        "scorings": ["alpha-0"],
        "references": ["oracle", "ground-truth"],
        "seeds": [0],
    }
    return content


def spoil(content, key, value):
    *path, last = key.split(".")
    for part in path:
        content = content[part]
    content[last] = value


def test_agents_are_trained_in_it_on_frames_that_it_draws(own):
    runs = list(parse_config(own).runs("pole"))
    assert {run.scene for run in runs} == {"default"}
    assert len(runs) == 3


def settings(content):
    """What jobs of an own and of a shipped environment read."""
    config = parse_config(content)
    pole, *_ = config.runs("pole")
    humanoid, *_ = config.runs("humanoid")
    return [
        [config.training_settings(run).model_dump(), config.evaluation_settings(run).model_dump()]
        for run in (pole, humanoid)
    ]


def test_a_changed_keyword_runs_again_what_acts_there_and_nothing_else(own):
    pole, humanoid = settings(own)
    own["environments"]["pole"]["kwargs"] = {"sutton_barto_reward": True}
    changed, same = settings(own)
    assert same == humanoid
    assert all(a != b for a, b in zip(changed, pole, strict=True))
    met = parse_config(own).rollout_settings("met").model_dump()
    assert met["own"]["kwargs"] == {"sutton_barto_reward": True}


def test_another_version_of_its_code_runs_the_same_again_as_another_keyword(own):
    pole, humanoid = settings(own)
    own["environments"]["pole"]["version"] = 1
    assert settings(own) == [pole, humanoid]
    own["environments"]["pole"]["version"] = 2
    changed, same = settings(own)
    assert same == humanoid
    assert all(a != b for a, b in zip(changed, pole, strict=True))


def test_shipped_environments_are_recorded_as_before(own):
    _, humanoid = settings(own)
    assert all("own" not in part for part in humanoid)


def test_what_random_actions_visit_does_not_depend_on_the_agent(own):
    before = parse_config(own).rollout_settings("met")
    own["training"]["pole"]["agent"]["gamma"] = 0.5
    assert parse_config(own).rollout_settings("met") == before


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("environments.cartpole", {"id": "CartPole-v1"}, "cartpole: the name is taken"),
        ("environments.pole.succes", "x", "unknown key; did you mean 'success'?"),
        ("environments.bare", {"id": "CartPole-v1", "quorum": 1}, "quorum: has no effect without"),
        ("environments.pole.oracle", "a:b", "oracle: cannot be combined with success"),
        ("environments.pole.oracle", "a.b", "environments.pole.oracle: "),
        ("environments.pole.success", None, "says no success, but tasks.balanced.oracle needs it"),
        ("tasks.balanced.environment", "pol", "unknown name 'pol'; did you mean 'pole'?"),
        ("tasks.balanced.oracle", "cartpole", "'cartpole' judges no pole states; write success"),
        ("tasks.kneeling.oracle", "success", "'success' judges no humanoid states"),
        ("training.poll", {"agent": {"algorithm": "dqn", "total_timesteps": 9}}, "training: unkn"),
        ("training.pole.lookup", {"grid": "a", "check": "b"}, "only for classic control"),
        ("state_sets.met.environment", "humanoid", "'balanced' is a pole task; write that"),
        ("state_sets.met.run.scene", "textured", "pole has no scene 'textured'; known: default"),
        ("experiments.pole.references", ["oracle-score"], "says success or not, and no distance"),
        ("experiments.pole.scenes", ["gymnasium"], "pole has no scene 'gymnasium'"),
        ("landscapes.pole", {"tasks": ["balanced"], "states": "met", "scenes": ["default"],
                             "models": ["smoke-S"]}, "pole has no grid or paths of states"),
        ("state_sets.both", {"sampler": "union", "environment": "pole", "sets": ["met"]},
         "cannot be joined with their frames"),
    ],
)  # fmt: skip
def test_mistakes_are_named(own, key, value, answer):
    spoil(own, key, value)
    with pytest.raises(UserError) as error:
        parse_config(own)
    assert answer in str(error.value)


@pytest.fixture
def captioned(own):
    """The same with a model of the user's own for this environment."""
    own["corpora"]["pole"] = {"states": ["met"], "captions": "my:captions", "image_size": 32}
    own["models"]["mine"] = {"source": "simulator", "architecture": "sim-XS", "corpus": "pole"}
    return own


def test_a_model_of_ones_own_learns_from_rollouts_with_captions(captioned):
    config = parse_config(captioned)
    assert config.corpus_size("pole") == 10
    assert config.corpora["pole"].model_dump()["captions"] == "my:captions"
    assert not {"captions", "version"} & config.corpora["smoke"].model_dump().keys()
    # What the workflow writes beside its results is read again.
    assert parse_config(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("captions", "my.captions", "corpora.pole.captions: "),
        ("captions", None, "corpora.pole.frames: missing; add it, or captions and states"),
        ("states", [], "corpora.pole.states: empty, but captions are of rollouts; name some"),
        ("states", ["mett"], "corpora.pole.states: unknown name 'mett'; did you mean 'met'?"),
        ("states", ["cartpole-grid"], "pole.states: 'cartpole-grid' holds cartpole states, but"),
        ("frames", {"cartpole": {"gymnasium": 9}}, "frames: has no effect with captions; remove"),
        ("seed", 1, "corpora.pole.seed: has no effect with captions; remove it"),
        ("rendering", {"shadows": True}, "corpora.pole.rendering: has no effect with captions"),
    ],
)
def test_mistakes_in_a_corpus_of_ones_own_are_named(captioned, key, value, answer):
    captioned["corpora"]["pole"][key] = value
    with pytest.raises(UserError) as error:
        parse_config(captioned)
    assert answer in str(error.value)


def test_a_version_belongs_to_captions(own):
    own["corpora"]["smoke"]["version"] = 2
    with pytest.raises(UserError, match=r"corpora\.smoke\.version: has no effect without captions"):
        parse_config(own)


def test_a_model_is_not_measured_on_the_frames_that_it_learned(captioned):
    measured = {"task": "balanced", "states": "met", "models": ["mine"], "scenes": ["default"]}
    captioned["epic"]["pole"] = measured
    with pytest.raises(UserError, match="'met' is in the corpus of 'mine'; use other states"):
        parse_config(captioned)


def test_random_actions_are_other_ones_only_by_the_seed_of_their_set(captioned):
    met = captioned["state_sets"]["met"]
    unseen = {**met, "size": met["size"] + 1, "run": {**met["run"], "seed": 5}}
    captioned["state_sets"]["unseen"] = unseen
    captioned["tasks"]["balanced"]["baseline"] = "a pole and a cart"
    measured = {"task": "balanced", "states": "unseen", "models": ["mine"], "scenes": ["default"]}
    captioned["epic"]["pole"] = measured
    with pytest.raises(UserError, match="'unseen' holds states of 'met', which is in the corpus"):
        parse_config(captioned)
    unseen["seed"] = 7
    parse_config(captioned)


def test_random_actions_are_for_environments_without_other_samplers(own):
    run = {**RUN, "task": "kneeling", "scene": "textured-fixed"}
    own["state_sets"]["met"].update(environment="humanoid", run=run)
    with pytest.raises(UserError, match="only for your own environments; use another sampler"):
        parse_config(own)


def test_success_can_be_left_out(own):
    del own["environments"]["pole"]["success"], own["tasks"]["balanced"]["oracle"]
    own["experiments"]["pole"]["references"] = ["ground-truth"]
    config = parse_config(own)
    assert config.training_settings(TrainingRun(**{**RUN, "reward_source": "ground-truth"}))
