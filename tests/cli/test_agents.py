"""What `vlmrm train` refuses by hand, as the configuration refuses it in experiments."""

from pathlib import Path

import pytest
import yaml

from vlmrm.cli.agents import train
from vlmrm.config import RANDOM_POLICY
from vlmrm.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    content = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    content |= {"experiments": {}, "epic": {}}
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
        ("kneeling", "simS", {}, "--reward: the configuration has no 'simS'; known: "),
        ("kneeling", "smoke_S", {}, "--reward: .* no 'smoke_S'; did you mean 'smoke-S'"),
        ("kneeling", "not a name", {}, "--reward: the configuration has no 'not a name'"),
        ("kneeling", RANDOM_POLICY, {}, "--reward: the configuration has no 'random-policy'"),
        ("wave", "oracle", {}, r"tasks\.wave\.oracle: missing"),
        ("kneeling", "oracle", {"alpha": 0.5}, "--alpha: 0.5 means nothing to --reward oracle"),
        ("standing", "smoke-S", {"alpha": 0.5}, r"tasks\.standing\.baseline: missing"),
        ("cartpole", "ground-truth", {}, r"cartpole\.agent\.learning_starts: 1200 is not below"),
        ("kneeling", "smoke-S", {"scene": "kitchen"}, "humanoid has no scene 'kitchen'"),
        # Nothing draws for the reward, but the checkpoints are filmed.
        ("kneeling", "oracle", {"scene": "kitchen"}, "humanoid has no scene 'kitchen'"),
    ],
)
def test_what_cannot_be_trained_is_told_before_any_work(
    config, tmp_path, task, reward, more, answer
):
    output = tmp_path / "policy"
    # There is no such model: whatever loaded it first would complain of that.
    with pytest.raises(UserError, match=answer) as refusal:
        train(config, task, reward, output, model=tmp_path / "none", **more)
    assert "\n" not in str(refusal.value)
    assert not output.exists()
