import functools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.damage import DAMAGES, damaged
from tests.paths import ROOT
from tests.training.toy_training import spoil_weights
from vlmrm.config import TrainingRun, load_config, parse_config
from vlmrm.envs import make_env
from vlmrm.errors import UserError
from vlmrm.tasks.oracles import ORACLES
from vlmrm.training.algorithms import make_agent
from vlmrm.training.evaluation import evaluate, opened, play
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "agents"

SMALL = {"total_timesteps": 1, "net_arch": [8]}

CONFIG = parse_config(
    {
        "run": "test",
        "scorings": ["alpha-0"],
        "models": {},
        "tasks": {
            "balance": {"environment": "cartpole", "goal": "a pole", "oracle": "cartpole"},
            "unjudged": {"environment": "cartpole", "goal": "a pole"},
            "climb": {"environment": "mountain-car", "goal": "a car", "oracle": "mountain-car"},
            "kneel": {"environment": "humanoid", "goal": "a robot", "oracle": "kneeling"},
        },
        "training": {
            "cartpole": {"agent": {"algorithm": "dqn", "episode_steps": 40, **SMALL}},
            "mountain-car": {"agent": {"algorithm": "sac", "episode_steps": 30, **SMALL}},
            "humanoid": {"agent": {"algorithm": "sac", "episode_steps": 5, **SMALL}},
        },
        "evaluation": {"trajectories": 6},
    }
)


def save_policy(path, task, **changes):
    """An untrained policy of the task's agent."""
    training = CONFIG.training[CONFIG.tasks[task].environment]
    environment = functools.partial(make_env, CONFIG.tasks[task].environment, 5)
    env = VectorEnv(EnvSpec(environment, 1), workers=0)
    agent = training.agent.model_copy(update=changes)
    make_agent(agent, env, 0, "cpu", buffer_size=1).save(path)
    return path


def judge(policy, task, workers=None, **changes):
    agent = None if policy is None else CONFIG.training[CONFIG.tasks[task].environment].agent
    settings = CONFIG.random_evaluation_settings(task)
    changed = settings.model_copy(update={"agent": agent, **changes})
    table, played = evaluate(policy, changed, workers)
    return table, played.states


@pytest.mark.parametrize("task", ["balance", "climb"])
def test_to_act_takes_no_compiler(task, tmp_path):
    """PyTorch's optimizers import one, which takes longer than the rest of an evaluation."""
    policy = save_policy(tmp_path / "policy.zip", task)
    program = (
        "import sys\n"
        "from tests.training.test_evaluation import judge\n"
        f"judge({str(policy)!r}, {task!r})\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_gsde_explores_as_in_training(tmp_path):
    """Each environment has noise of its own, and other noise in each round."""
    agent = CONFIG.training["mountain-car"].agent.model_copy(
        update={"use_sde": True, "train_freq": 10}
    )
    policy = save_policy(tmp_path / "policy.zip", "climb", use_sde=True)
    settings = CONFIG.random_evaluation_settings("climb").model_copy(update={"agent": agent})
    first, other = (play(policy, settings, 4, seed, explore=True).states for seed in (0, 1))
    assert len(np.unique(np.diff(first[:, :2, 1], axis=1))) == 4
    assert not np.allclose(first, other)
    with opened(policy, settings, 4, 0, 0, explore=True) as (_, act):
        here = np.full((4, 2), 0.1, np.float32)
        rounds = np.stack([act(here) for _ in range(20)])
    assert np.ptp(rounds[:10], axis=0).max() == 0
    assert (rounds[0] != rounds[10]).all()
    assert len(np.unique(rounds[0])) == 4


def test_one_row_per_trajectory():
    table, states = judge(None, "balance")
    assert list(table.columns) == [
        *("trajectory", "steps", "success_fraction", "success", "ground_truth_return")
    ]
    assert list(table["trajectory"]) == list(range(6))
    assert (table["steps"] == 40).all()
    assert states.shape == (6, 40, 4)


def test_the_oracle_judges_every_state_after_a_step():
    table, states = judge(None, "balance", trajectories=20)
    upright = (np.abs(states[..., 2]) <= np.radians(12)) & (np.abs(states[..., 0]) <= 2.4)
    np.testing.assert_allclose(table["success_fraction"], upright.mean(axis=1))
    # Gymnasium's reward counts the same states.
    np.testing.assert_allclose(table["ground_truth_return"], upright.sum(axis=1))
    assert list(table["success"]) == list(upright.mean(axis=1) >= 0.5)
    assert table["success"].nunique() == 2


def test_trajectories_depend_on_the_seed():
    _, states = judge(None, "climb", seed=3)
    _, again = judge(None, "climb", seed=3)
    _, other = judge(None, "climb", seed=4)
    np.testing.assert_array_equal(states, again)
    assert not np.array_equal(states, other)
    assert len(np.unique(states[:, 0, 0])) == 6


def test_a_policy_acts_without_noise(tmp_path):
    policy = save_policy(tmp_path / "policy.zip", "climb")
    _, states = judge(policy, "climb", seed=3)
    _, again = judge(policy, "climb", seed=3)
    _, fewer = judge(policy, "climb", trajectories=2, seed=3)
    np.testing.assert_array_equal(states, again)
    np.testing.assert_allclose(fewer, states[:2], atol=1e-5)


def test_without_an_oracle_nothing_is_said_about_success(tmp_path):
    table, _ = judge(None, "unjudged")
    table.to_csv(tmp_path / "evaluation.csv", index=False)
    assert table["success"].isna().all() and table["success_fraction"].isna().all()
    assert (table["ground_truth_return"] > 0).all()


def test_humanoids_in_worker_processes_move_as_in_this_one():
    _, states = judge(None, "kneel", trajectories=3, workers=2)
    _, expected = judge(None, "kneel", trajectories=3, workers=0)
    assert states.shape == (3, 5, 47)
    np.testing.assert_array_equal(states, expected)


@pytest.mark.parametrize(
    ("task", "changes", "told"),
    [
        ("balance", {"net_arch": [16]}, r"its q_net\..* has shape \[16, 4\], not \[8, 4\]"),
        ("climb", {"actor_ema": 0.9}, r"it also has averaged_actor\."),
        ("climb", {"use_sde": True}, r"it lacks actor\.mu\.weight"),
        ("climb", {"symlog_observations": True}, r"it has symlog_observations: true"),
        ("climb", {}, r"it lacks q_net\."),
    ],
)
def test_a_policy_of_another_agent_is_named(tmp_path, task, changes, told):
    policy = save_policy(tmp_path / "policy.zip", task, **changes)
    message = rf"policy\.zip: no policy of the configured \w+ agent \({told}.*\); name the"
    with pytest.raises(UserError, match=message):
        judge(policy, "balance" if not changes else task)


def test_a_policy_that_is_not_finite_is_refused(tmp_path):
    policy = save_policy(tmp_path / "policy.zip", "climb")
    spoil_weights(policy, np.nan)
    with pytest.raises(UserError, match=r"policy\.zip: .*its actor\..* is not finite"):
        judge(policy, "climb")


def test_a_missing_policy_is_named(tmp_path):
    with pytest.raises(UserError, match=r"missing\.zip: no such file"):
        judge(tmp_path / "missing.zip", "balance")


def test_a_damaged_policy_is_refused_in_one_line_or_acts_as_before(tmp_path):
    policy = save_policy(tmp_path / "policy.zip", "climb")
    _, states = judge(policy, "climb", trajectories=1)
    content, rng, refused = policy.read_bytes(), np.random.default_rng(3), 0
    for _ in range(DAMAGES):
        policy.write_bytes(damaged(content, rng))
        try:
            _, found = judge(policy, "climb", trajectories=1)
        except UserError as error:
            refused += 1
            assert str(error).startswith(f"{policy}: ")
            assert len(str(error).splitlines()) == 1 and len(str(error)) < 400
        else:
            np.testing.assert_array_equal(found, states)
    assert refused > DAMAGES / 3


def test_mountain_car_succeeds_by_arriving():
    table, states = judge(None, "climb")
    arrived = ORACLES["mountain-car"](states.reshape(-1, 2)).reshape(6, 30).any(axis=1)
    assert list(table["success"]) == list(arrived)


def test_a_policy_of_the_reference_results_still_kneels():
    config = load_config(REFERENCE / "config.yaml")
    run = TrainingRun(
        task="kneeling", scene="textured-fixed", reward_source="sim-L", scoring="alpha-0", seed=0
    )
    settings = config.evaluation_settings(run).model_copy(update={"trajectories": 2})
    table, _ = evaluate(REFERENCE / "policies" / "kneeling.zip", settings)
    assert table["success"].all()
