import functools

import numpy as np
import pytest
from stable_baselines3 import DQN, SAC

from vlmrm.config import parse_config
from vlmrm.envs import make_env
from vlmrm.errors import UserError
from vlmrm.tasks.oracles import ORACLES
from vlmrm.training.evaluation import evaluate
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

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
            "cartpole": {"agent": {"algorithm": "dqn", "total_timesteps": 1, "episode_steps": 40}},
            "mountain-car": {
                "agent": {"algorithm": "sac", "total_timesteps": 1, "episode_steps": 30}
            },
            "humanoid": {"agent": {"algorithm": "sac", "total_timesteps": 1, "episode_steps": 5}},
        },
        "evaluation": {"trajectories": 6},
    }
)


def save_policy(path, task, kind=DQN):
    """An untrained policy."""
    environment = CONFIG.tasks[task].environment
    env = VectorEnv(EnvSpec(functools.partial(make_env, environment, 5), 1), workers=0)
    kind("MlpPolicy", env, seed=0, buffer_size=10, device="cpu").save(path)
    return path


def judge(policy, task, workers=None, **changes):
    settings = CONFIG.random_evaluation_settings(task).model_copy(update=changes)
    return evaluate(policy, settings, workers)


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


def test_trajectories_depend_on_the_seed_and_not_on_their_number():
    _, states = judge(None, "climb", seed=3)
    _, again = judge(None, "climb", seed=3)
    _, other = judge(None, "climb", seed=4)
    np.testing.assert_array_equal(states, again)
    assert not np.array_equal(states, other)
    assert len(np.unique(states[:, 0, 0])) == 6


def test_a_policy_acts_without_noise(tmp_path):
    policy = save_policy(tmp_path / "policy.zip", "climb", SAC)
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


def test_a_wrong_policy_is_named(tmp_path):
    with pytest.raises(UserError, match=r"missing\.zip: no such file"):
        judge(tmp_path / "missing.zip", "balance")
    broken = tmp_path / "broken.zip"
    broken.write_text("nonsense")
    with pytest.raises(UserError, match=r"broken\.zip: not a policy"):
        judge(broken, "balance")
    sac = save_policy(tmp_path / "sac.zip", "climb", SAC)
    with pytest.raises(UserError, match=r"sac\.zip: not a policy trained by dqn"):
        judge(sac, "balance")
    with pytest.raises(UserError, match=r"sac\.zip: a policy for another environment"):
        judge(sac, "kneel")


def test_mountain_car_succeeds_by_arriving():
    table, states = judge(None, "climb")
    arrived = ORACLES["mountain-car"](states.reshape(-1, 2)).reshape(6, 30).any(axis=1)
    assert list(table["success"]) == list(arrived)
