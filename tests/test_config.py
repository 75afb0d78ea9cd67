from pathlib import Path
from typing import get_args

import pytest
import yaml

from vlmrm.config import OracleName, load_config, parse_config
from vlmrm.errors import UserError

ROOT = Path(__file__).parents[1]
CONFIGS = [ROOT / "config.yaml", *sorted((ROOT / "config").glob("*.yaml"))]


@pytest.fixture
def content():
    """A valid configuration to spoil."""
    content = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    published = {"source": "pretrained", "architecture": "RN50-quickgelu", "tag": "openai"}
    content["models"]["published"] = published
    return content


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_in_the_repository_is_valid(path):
    config = load_config(path)
    for experiment in config.experiments:
        assert list(config.runs(experiment))


def spoil(content, key, value):
    *path, last = key.split(".")
    for part in path:
        content = content[part]
    if value is None:
        del content[last]
    else:
        content[last] = value


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("modles", {}, "modles: unknown key; did you mean 'models'?"),
        ("models.smoke-XS.epoch", 3, "models.smoke-XS.epoch: unknown key; did you mean 'epochs'?"),
        ("models.smoke-XS.architecture", "sim-X", "did you mean 'sim-XS'?"),
        ("models.smoke-XS.corpus", "other", "models.smoke-XS.corpus: unknown name 'other'"),
        ("models.smoke-XS.source", "hub", "models.smoke-XS"),
        ("models.published.tag", None, "models.published.tag: missing; give it, or repository"),
        ("models.published.architecture", None, "models.published.architecture: missing; a tag"),
        ("models.published.repository", "a/b", "repository: stands beside tag; keep one"),
        ("models.published.path", "folder", "models.published.path: stands beside tag"),
        ("models.published.token", "hf_x", "models.published.token: unknown key"),
        ("models.published.sha256", "abc", "sha256: must be 64 hexadecimal digits, got 'abc'"),
        ("models.published.revision", "main", "revision: must be 40 hexadecimal digits"),
        (
            "models.published",
            {"source": "pretrained", "repository": "owner/name"},
            "models.published.revision: missing; pin a commit",
        ),
        (
            "models.published",
            {"source": "pretrained", "repository": "name", "revision": "0" * 40},
            "models.published.repository: string should match pattern",
        ),
        ("tasks.kneeling.goal", None, "tasks.kneeling.goal: missing"),
        ("tasks.kneeling.baseline", None, "tasks.kneeling.baseline: missing"),
        ("tasks.kneeling.oracle", "kneel", "tasks.kneeling.oracle"),
        ("alphas", [0, 1.5], "alphas.1: "),
        ("alphas", [], "alphas: "),
        ("epic.kneeling.models", ["smoke-M"], "epic.kneeling.models: unknown name 'smoke-M'"),
        ("epic.kneeling.scenes", ["texture"], "did you mean 'textured'?"),
        ("epic.kneeling.label", "labels.csv", "did you mean 'labels'?"),
        ("epic.kneeling.labels", 3, "epic.kneeling.labels: input should be a valid string, got 3"),
        ("landscapes.cartpole.states", "kneeling", "landscapes.cartpole.states: 'kneeling' holds"),
        ("training.humanoid.agent.step", 1, "training.humanoid.agent.step: unknown key"),
        ("training.cartpole", None, "training.cartpole: missing, but experiments.classic-control"),
        (
            "landscapes.kneeling.states",
            "kneeling",
            "landscapes.kneeling.states: 'kneeling' must be",
        ),
        ("states.paths.tasks", ["lotus"], "landscapes.kneeling.states: 'paths' lacks the path"),
        ("states.rollouts.run.reward", "sim", "states.rollouts.run.reward: unknown name 'sim'"),
        ("states.rollouts.environment", "cartpole", "states.rollouts.environment: 'kneeling' is"),
        ("training.cartpole.lookup.grid", "g", "training.cartpole.lookup.grid: unknown name 'g'"),
        (
            "training.cartpole.lookup.check",
            "kneeling",
            "must be cartpole states with sampler",
        ),
        (
            "original",
            {"frames_after_reset": True},
            "original.frames_after_reset: not with",
        ),
        ("experiments.classic-control.alphas", [0.3], "experiments.classic-control.alphas: 0.3"),
        ("experiments.humanoid.tasks", ["sitting"], "experiments.humanoid.tasks: unknown name"),
    ],
)
def test_a_mistake_is_answered_in_one_line_that_names_the_key(content, key, value, answer):
    spoil(content, key, value)
    with pytest.raises(UserError) as error:
        parse_config(content, "my.yaml")
    message = str(error.value)
    assert message.startswith("my.yaml: ")
    assert answer in message
    assert "\n" not in message


def test_a_file_that_is_missing_or_not_yaml_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.yaml"):
        load_config(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("run: [")
    with pytest.raises(UserError, match=r"broken\.yaml: not YAML"):
        load_config(broken)
    broken.write_text("")
    with pytest.raises(UserError, match=r"broken\.yaml: holds no keys"):
        load_config(broken)


def test_runs_are_all_combinations_and_the_references(content):
    content["experiments"]["humanoid"].update(
        models=["smoke-XS", "smoke-S"], alphas=[0, 0.5], references=["oracle"], seeds=[0, 1]
    )
    runs = list(parse_config(content).runs("humanoid"))
    assert len(runs) == 2 * (2 * 2 + 1)
    assert len(set(runs)) == len(runs)
    assert {run.scene for run in runs} == {"textured-fixed"}


def test_every_oracle_of_the_configuration_exists_and_conversely():
    from vlmrm.tasks.oracles import ORACLES

    assert set(get_args(OracleName)) == set(ORACLES)
