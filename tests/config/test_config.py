import copy
import math
from datetime import date
from typing import get_args

import gymnasium as gym
import pytest
import stable_baselines3

from tests.paths import ROOT
from vlmrm.config import OracleName, load_config, parse_config
from vlmrm.config import base as section
from vlmrm.envs import make_env
from vlmrm.errors import UserError

CONFIGS = [ROOT / "config.yaml", *sorted((ROOT / "config").glob("*.yaml"))]


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
        ("models.smoke-S.epoch", 3, "models.smoke-S.epoch: unknown key; did you mean 'epochs'?"),
        ("models.smoke-S.architecture", "sim-X", "did you mean 'sim-"),
        (
            "models.sim-XS.architecture",
            "RN50",
            "unknown architecture 'RN50'; known: sim-XS, sim-S, ",
        ),
        ("models.smoke-S.corpus", "other", "models.smoke-S.corpus: unknown name 'other'"),
        ("models.smoke-S.source", "simulato", "smoke-S.source: 'simulato' is unknown; did you"),
        ("models.published.source", None, "models.published.source: missing; known: ensemble, "),
        (
            "state_sets.kneeling.sampler",
            "pose",
            "'pose' is unknown; did you mean 'poses'?",
        ),
        (
            "state_sets.paths.point",
            9,
            "state_sets.paths.point: unknown key; did you mean 'points'?",
        ),
        ("corpora.smoke.frames", {"cartpole": {}}, "corpora.smoke.frames.cartpole: empty"),
        ("models.published.tag", None, "models.published.tag: missing; give it, or repository"),
        ("models.published.architecture", None, "models.published.architecture: missing; a tag"),
        ("models.published.repository", "a/b", "repository: cannot be combined with tag; keep"),
        ("models.published.path", "folder", "models.published.path: cannot be combined with tag"),
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
            "models.published.repository: 'name' does not fit; write owner/name",
        ),
        ("tasks.kneeling.goal", None, "tasks.kneeling.goal: missing"),
        ("tasks.kneeling.baseline", None, "tasks.kneeling.baseline: missing"),
        ("tasks.kneeling.goal", "", "tasks.kneeling.goal: empty; fill it"),
        ("tasks.kneeling.goal", [], "tasks.kneeling.goal: empty; fill it"),
        ("tasks.kneeling.goal", "x" * 1001, "tasks.kneeling.goal: longer than 1000 characters; sh"),
        ("tasks.kneeling.goal", "a \x1b[2J", "tasks.kneeling.goal: contains control characters"),
        ("tasks.kneeling.goal", "a \ud800", "tasks.kneeling.goal: contains control characters"),
        ("tasks.kneeling.goal", 7, "tasks.kneeling.goal: input should be a valid string, got 7; q"),
        ("tasks.kneeling.goal", date(2024, 1, 1), "tasks.kneeling.goal: YAML reads this as a date"),
        (
            "tasks.kneeling.baseline",
            "A humanoid  robot KNEELING\n",
            "tasks.kneeling.baseline: says the same as the goal; alpha-0.5 needs another",
        ),
        ("run", "x" * 101, "run: string should have at most 100 characters"),
        ("run", 7, "run: input should be a valid string, got 7; quote it"),
        ("tasks", {7: {}}, "tasks.7: names must be texts; quote it"),
        ("epic.kneeling.discount", math.nan, "discount: input should be a finite number, got nan"),
        ("training.humanoid.agent.tau", math.inf, "agent.tau: input should be a finite number"),
        ("training.humanoid.agent.total_timesteps", 10**400, "total_timesteps: too large a number"),
        ("training.humanoid.agent.total_timesteps", "9" * 99, "total_timesteps: input should be l"),
        ("state_sets.kneeling.size", 10**13, "state_sets.kneeling.size: too large a number"),
        ("experiments.humanoid.seeds", list(range(1001)), "seeds: list should have at most 1000"),
        ("tasks.kneeling.goal", ["a robot", " "], "tasks.kneeling.goal: empty; fill it"),
        ("tasks.kneeling.baseline", [], "tasks.kneeling.baseline: empty; fill it"),
        ("tasks.kneeling.oracle", "kneel", "tasks.kneeling.oracle"),
        ("tasks.kneeling.oracle", "cartpole", "'cartpole' judges no humanoid states; known: kneel"),
        ("tasks.cartpole.oracle", "kneeling", "'kneeling' judges no cartpole states; known: cartp"),
        ("scorings", ["alpha-0", "alpha-1.5"], "scorings.1: 'alpha-1.5' is no scoring; write alph"),
        ("epic.kneeling.seed", True, "epic.kneeling.seed: input should be a number, got true"),
        ("state_sets.kneeling.size", True, "state_sets.kneeling.size: input should be a number"),
        ("scorings", ["contrast-0"], "scorings.0: 'contrast-0' is no scoring"),
        ("scorings", ["contrast-1e-300"], "scorings.0: 'contrast-1e-300' is no scoring"),
        ("scorings", ["alpha-0_1"], "scorings.0: 'alpha-0_1' is no scoring; write alpha-A with A"),
        ("scorings", ["alpha--0"], "scorings.0: 'alpha--0' is no scoring"),
        ("scorings", ["alpha- 0.5"], "scorings.0: 'alpha- 0.5' is no scoring"),
        ("scorings", ["alpha-\u0661"], "is no scoring"),
        ("tasks.kneeling.goal", "\u200b\u00ad", "tasks.kneeling.goal: empty; fill it"),
        ("scorings", ["cosine"], "scorings.0: 'cosine' is no scoring"),
        ("scorings", ["alpha-nan"], "scorings.0: 'alpha-nan' is no scoring"),
        ("scorings", [], "scorings: empty; name at least one"),
        ("scorings", ["alpha-0.5", "alpha-0.50"], "scorings: 'alpha-0.5' is listed twice; remove"),
        ("epic.kneeling.models", ["smoke-M"], "epic.kneeling.models: unknown name 'smoke-M'"),
        ("epic.kneeling.models", [], "epic.kneeling.models: empty; name at least one"),
        (
            "epic.kneeling.labels",
            ["a.csv", "a.csv"],
            "epic.kneeling.labels: 'a.csv' is listed",
        ),
        (
            "epic.kneeling.labels",
            ["a.csv", "of {rater}.csv"],
            "epic.kneeling.labels: 'of {rater}.csv' has braces, and Snakemake takes {rater} for a",
        ),
        ("epic.kneeling.scenes", ["texture"], "did you mean 'textured'?"),
        ("epic.kneeling.label", "labels.csv", "did you mean 'labels'?"),
        ("epic.kneeling.labels", 3, "epic.kneeling.labels: input should be a valid string, got 3"),
        ("landscapes.cartpole.scenes", [], "landscapes.cartpole.scenes: empty; name at least one"),
        ("landscapes.cartpole.tasks", ["cart"], "landscapes.cartpole.tasks: unknown name 'cart'"),
        ("landscapes.cartpole.states", "kneeling", "landscapes.cartpole.states: 'kneeling' holds"),
        ("training.humanoid.agent.step", 1, "training.humanoid.agent.step: unknown key"),
        ("training.humanoid.agent.algorithm", "ppo", "algorithm: 'ppo' is unknown; known: dqn"),
        ("training.humanoid.agent.ent_coef", "atuo", "ent_coef: 'atuo' is no weight; write a"),
        ("training.humanoid.agent.ent_coef", "auto_0", "ent_coef: 'auto_0' is no weight; write a"),
        ("training.humanoid.agent.learning_starts", 800, "800 is not below total_timesteps"),
        (
            "training.humanoid.agent.train_freq",
            201,
            "training.humanoid.agent.train_freq: with 4 environments, 804 steps before the first",
        ),
        ("training.humanoid.agent.total_timesteps", "1e5", "got '1e5'; write its digits, as in"),
        ("run", "my run", "run: 'my run' does not fit; write letters and digits, and after the"),
        (
            "models.brightness.function",
            "a/b.py:f",
            "'a/b.py:f' does not fit; write package.module:",
        ),
        ("tasks.kneeling.oracle", "none", "got 'none'; for none, remove it"),
        ("landscapes.kneeling.models", ["SIM-XS"], "name 'SIM-XS'; did you mean 'sim-XS'?"),
        ("training.humanoid.agent.learning_starts", None, "learning_starts: 50000 is not below"),
        ("training.cartpole.lookup.gird", "g", "lookup.gird: unknown key; did you mean 'grid'?"),
        ("training.cartpole", None, "training.cartpole: missing, but experiments.classic-control"),
        (
            "landscapes.kneeling.states",
            "kneeling",
            "landscapes.kneeling.states: 'kneeling' must be",
        ),
        ("state_sets.paths.tasks", ["lotus"], "landscapes.kneeling.states: 'paths' lacks the path"),
        (
            "state_sets.rollouts.run.reward_source",
            "sim",
            "state_sets.rollouts.run.reward_source: unknown name 'sim'",
        ),
        (
            "state_sets.rollouts.run.scoring",
            "alpha-1.5",
            "state_sets.rollouts.run.scoring: 'alpha-1.5' is no scoring",
        ),
        (
            "state_sets.rollouts.run.seed",
            -1,
            "state_sets.rollouts.run.seed: input should be greater than",
        ),
        (
            "state_sets.rollouts.environment",
            "cartpole",
            "state_sets.rollouts.environment: 'kneeling' is",
        ),
        ("training.cartpole.lookup.grid", "g", "training.cartpole.lookup.grid: unknown name 'g'"),
        (
            "training.cartpole.lookup.check",
            "kneeling",
            "must be cartpole states with sampler",
        ),
        (
            "paper_code",
            {"frames_after_reset": True},
            "paper_code.frames_after_reset: not with",
        ),
        (
            "experiments.classic-control.scorings",
            ["alpha-0.3"],
            "experiments.classic-control.scorings: alpha-0.3 is not scored",
        ),
        ("experiments.humanoid.tasks", ["sitting"], "experiments.humanoid.tasks: unknown name"),
        (
            "experiments.humanoid.tasks",
            ["kneeling"] * 2,
            "humanoid.tasks: 'kneeling' is listed",
        ),
        (
            "experiments.humanoid.models",
            ["smoke-S"] * 2,
            "humanoid.models: 'smoke-S' is listed",
        ),
        ("experiments.humanoid.scenes", ["textured"] * 2, "scenes: 'textured' is listed twice"),
        ("experiments.humanoid.scenes", [], "experiments.humanoid.scenes: empty; name at least"),
        ("experiments.humanoid.scorings", [], "experiments.humanoid.scorings: empty; name at"),
        ("experiments.humanoid.seeds", [0, 0], "experiments.humanoid.seeds: 0 is listed twice"),
        ("experiments.humanoid.seeds", [], "experiments.humanoid.seeds: empty; name at least one"),
        ("experiments.humanoid.seeds", [0, -1], "experiments.humanoid.seeds.1: input should be gr"),
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
    assert len(message) <= 300


def test_an_experiment_trains_on_models_or_references(content):
    del content["optimization"]
    content["experiments"]["humanoid"] |= {"models": [], "scorings": []}
    assert [run.reward_source for run in parse_config(content).runs("humanoid")] == ["oracle"]
    del content["experiments"]["humanoid"]["references"]
    with pytest.raises(UserError, match=r"experiments\.humanoid\.models: empty, as are the refer"):
        parse_config(content)


def test_states_of_an_agent_need_what_its_training_needs(content):
    content["state_sets"]["rollouts"]["run"] |= {"reward_source": "oracle", "scoring": "alpha-0.5"}
    with pytest.raises(
        UserError, match=r"state_sets\.rollouts\.run\.scoring: alpha-0\.5 has no effect with 'or"
    ):
        parse_config(content)
    content["state_sets"]["rollouts"]["run"]["scoring"] = "alpha-0"
    parse_config(content)
    del content["tasks"]["kneeling"]["oracle"]
    content |= {key: {} for key in ("landscapes", "epic", "experiments", "rounds")}
    with pytest.raises(UserError, match=r"oracle: missing, but state_sets\.rollouts\.run needs"):
        parse_config(content)


def test_a_measurement_without_oracle_needs_labels_of_people(content):
    waving = {"environment": "humanoid", "goal": "a robot waving", "baseline": "a robot"}
    content["tasks"]["waving"] = waving
    content["epic"]["waving"] = {**content["epic"]["kneeling"], "task": "waving"}
    with pytest.raises(UserError, match=r"tasks\.waving\.oracle: missing, but epic\.waving measur"):
        parse_config(content)
    content["epic"]["waving"]["labels"] = "labels.csv"
    assert parse_config(content).epic_settings("waving").oracle is None
    content["predictions"]["kneeling"]["epic"].append("waving")
    with pytest.raises(UserError, match=r"missing, but predictions\.kneeling needs it"):
        parse_config(content)


def test_a_part_named_like_a_choice_is_named_in_full(content):
    content["models"]["random"] = {"source": "random", "architecture": "sim-XS", "sed": 1}
    with pytest.raises(UserError, match=r"models\.random\.sed: unknown key; did you mean 'seed'"):
        parse_config(content)


@pytest.mark.parametrize("weight", ["auto", "auto_0.05", 0.1, "1e-3"])
def test_the_entropy_has_every_weight_that_its_algorithm_takes(content, weight):
    content["training"]["humanoid"]["agent"]["ent_coef"] = weight
    agent = parse_config(content).training["humanoid"].agent
    assert agent.ent_coef == weight
    # Stable-Baselines3 reads it when an agent is made.
    env = make_env("mountain-car", 1)
    stable_baselines3.SAC("MlpPolicy", env, ent_coef=agent.ent_coef, buffer_size=1, device="cpu")


def test_an_algorithm_is_refused_where_it_cannot_act(content):
    for environment, wrong, right in (
        ("cartpole", "sac", "dqn"),
        ("mountain-car", "dqn", "sac"),
        ("humanoid", "dqn", "sac"),
    ):
        discrete = isinstance(make_env(environment, 1).action_space, gym.spaces.Discrete)
        assert right == ("dqn" if discrete else "sac")
        spoilt = copy.deepcopy(content)
        spoilt["training"][environment]["agent"] = {"algorithm": wrong, "total_timesteps": 10**6}
        answer = f"agent.algorithm: {wrong} cannot act in {environment}; write {right}"
        with pytest.raises(UserError, match=answer):
            parse_config(spoilt)


def test_a_goal_may_say_the_same_as_the_baseline_where_only_the_goal_counts(content):
    content["tasks"]["same"] = {"environment": "humanoid", "goal": "x", "baseline": "X"}
    parse_config(content)
    experiment = {"tasks": ["same"], "models": ["smoke-S"], "seeds": [0]}
    content["experiments"]["mine"] = {**experiment, "scorings": ["alpha-0"]}
    parse_config(content)
    content["experiments"]["mine"] = {**experiment, "scorings": ["alpha-0", "alpha-0.5"]}
    with pytest.raises(UserError, match=r"tasks\.same\.baseline: says the same as the goal"):
        parse_config(content)


def test_names_whose_figures_would_be_the_same_file_are_refused(content):
    content["epic"]["alpha-kneeling"] = content["epic"]["kneeling"]
    with pytest.raises(UserError, match=r"epic\.alpha-kneeling: epic-alpha-kneeling\.svg is a fig"):
        parse_config(content)


def test_an_experiment_has_a_number_of_runs_that_a_workflow_can_hold(content):
    del content["optimization"]
    content["experiments"]["humanoid"] |= {
        "seeds": list(range(1000)),
        "scorings": ["alpha-0", "alpha-0.5", "alpha-1"],
    }
    content["experiments"]["humanoid"] |= {"models": ["random-XS", "smoke-S"], "references": []}
    parse_config(content)
    content["experiments"]["humanoid"]["scenes"] = ["textured", "gymnasium"]
    with pytest.raises(UserError, match=r"humanoid: 12,000 training runs; make several exp"):
        parse_config(content)


def test_a_message_repeats_no_control_characters(content):
    content["models"]["a\x1b[2J\n"] = {}
    with pytest.raises(UserError) as error:
        parse_config(content, "own.yaml")
    answer = r"own.yaml: models.a\x1b[2J\n: contains control characters; remove them"
    assert str(error.value) == answer


def test_runs_are_all_combinations_and_the_references(content):
    content["experiments"]["humanoid"].update(
        models=["random-XS", "smoke-S"],
        scorings=["alpha-0", "alpha-0.5"],
        references=["oracle"],
        seeds=[0, 1],
    )
    runs = list(parse_config(content).runs("humanoid"))
    assert len(runs) == 2 * (2 * 2 + 1)
    assert len(set(runs)) == len(runs)
    assert {run.scene for run in runs} == {"textured-fixed"}


def test_every_oracle_of_the_configuration_exists_and_conversely():
    from vlmrm.tasks import oracles

    assert set(get_args(OracleName)) == set(oracles.ORACLES)
    for environment, names in section.ORACLE_NAMES.items():
        judges = [n for n, oracle in oracles.ORACLES.items() if oracle.environment == environment]
        assert list(names) == judges


@pytest.mark.parametrize(
    ("contrast", "answer"),
    [
        (None, r"tasks\.alone\.contrast: missing; contrast-0\.05 needs one"),
        (["a pole", "other"], r"tasks\.alone\.contrast: 'a pole' is the goal too; remove it"),
    ],
)
def test_a_contrast_needs_other_sentences(content, contrast, answer):
    content["scorings"] = ["contrast-0.05"]
    del content["models"]["duo"], content["models"]["views"]
    content["tasks"] = {
        "alone": {"environment": "cartpole", "goal": "a pole", "oracle": "cartpole"}
    }
    if contrast:
        content["tasks"]["alone"]["contrast"] = contrast
    epic = {"task": "alone", "states": "cartpole-uniform", "scenes": ["gymnasium"]}
    content |= {"landscapes": {}, "experiments": {}, "rounds": {}}
    content["epic"] = {"alone": {**epic, "models": ["smoke-S"]}}
    content["state_sets"] = {
        k: v for k, v in content["state_sets"].items() if k == "cartpole-uniform"
    }
    content["corpora"]["smoke"].pop("states", None)
    with pytest.raises(UserError, match=answer):
        parse_config(content)


def test_a_figure_of_the_oracle_s_labels_needs_one(content):
    content["tasks"]["alone"] = {"environment": "humanoid", "goal": "a robot", "baseline": "a"}
    content["epic"]["alone"] = {**content["epic"]["kneeling"], "task": "alone", "labels": "a.csv"}
    config = parse_config(content)
    for settings_of in (config.gallery_settings, config.best_of_n_settings):
        with pytest.raises(UserError, match=r"tasks\.alone\.oracle: missing"):
            settings_of("alone")
