"""`vlmrm train-policy` refuses by hand what the configuration refuses in experiments."""

from pathlib import Path

import pytest
import yaml

from tests.paths import ROOT, smoke_all
from vlmrm.cli.train_policy import train_policy
from vlmrm.config import RANDOM_POLICY
from vlmrm.errors import UserError


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    content = smoke_all()
    content |= {"experiments": {}, "epic": {}, "optimization": {}, "predictions": {}}
    content |= {"diagnoses": {}}
    del content["tasks"]["standing"]["baseline"]
    content["tasks"]["wave"] = {"environment": "humanoid", "goal": "a robot that waves"}
    agent = content["training"]["cartpole"]["agent"]
    agent["learning_starts"] = agent["total_timesteps"]
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("task", "reward", "more", "answer"),
    [
        ("kneeling", "simS", {}, "--reward-source: the configuration has no 'simS'; did you"),
        ("kneeling", "smoke_S", {}, "--reward-source: .* no 'smoke_S'; did you mean 'smoke-S'"),
        ("kneeling", "not a name", {}, "--reward-source: the configuration has no 'not a name'"),
        (
            "kneeling",
            RANDOM_POLICY,
            {},
            "the configuration has no 'random-policy'",
        ),
        ("wave", "oracle", {}, r"tasks\.wave\.oracle: missing"),
        (
            "kneeling",
            "oracle",
            {"scoring": "alpha-0.5"},
            "--scoring: alpha-0.5 has no effect with --reward-source",
        ),
        ("standing", "smoke-S", {"scoring": "alpha-0.5"}, r"tasks\.standing\.baseline: missing"),
        ("cartpole", "ground-truth", {}, r"cartpole\.agent\.learning_starts: 1200 is not below"),
        ("kneeling", "smoke-S", {"scene": "kitchen"}, "humanoid has no scene 'kitchen'"),
        # Nothing draws for the reward, but videos of the checkpoints are recorded.
        ("kneeling", "oracle", {"scene": "kitchen"}, "humanoid has no scene 'kitchen'"),
    ],
)
def test_what_cannot_be_trained_is_told_before_any_work(
    config, tmp_path, task, reward, more, answer
):
    output = tmp_path / "policy"
    # There is no such model: whatever loaded it first would complain of that.
    with pytest.raises(UserError, match=answer) as refusal:
        train_policy(config, task, reward, output, model=[tmp_path / "none"], **more)
    assert "\n" not in str(refusal.value)
    assert not output.exists()


@pytest.mark.parametrize("options", [{}, {"model": [ROOT]}, {"states": ROOT, "rewards": ROOT}])
def test_rewards_that_are_looked_up_need_their_grid(tmp_path, options):
    with pytest.raises(UserError, match="cartpole looks its rewards up in a grid; give these"):
        train_policy(
            *(ROOT / "config" / "smoke.yaml", "cartpole", "smoke-S", tmp_path / "policy"),
            **{"scoring": "alpha-0.5", **options},
        )


@pytest.mark.parametrize(
    ("source", "models", "answer"),
    [
        ("views", [], "--model: 0 given; give the folder of each member of 'views', in this order"),
        ("views", ["a", "b"], "--model: 2 given; .*in this order: sim-XS"),
        ("views", ["a"], "--statistics: missing; give the table of `vlmrm measure-members`"),
        ("smoke-S", ["a", "b"], "--model: given more than once"),
        ("smoke-S", [], "--model: missing; give the model's folder"),
    ],
)
def test_a_training_needs_each_model_that_scores_frames(config, tmp_path, source, models, answer):
    with pytest.raises(UserError, match=answer):
        train_policy(config, "kneeling", source, tmp_path / "p", model=list(map(Path, models)))
