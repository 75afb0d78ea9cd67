import pandas as pd
import pytest

from tests.training.toy import COMMON
from vlmrm.config import TrainingRun, parse_config
from vlmrm.rewards.sources import EnvironmentReward, FrameReward
from vlmrm.rewards.vlm import VLMReward
from vlmrm.training.evaluation import evaluate
from vlmrm.training.run import train

CONFIG = {
    "run": "test",
    "alphas": [0],
    "models": {},
    "tasks": {
        "cartpole": {"environment": "cartpole", "goal": "a pole", "oracle": "cartpole"},
        "mountain-car": {"environment": "mountain-car", "goal": "a car"},
    },
    "training": {
        "cartpole": {"agent": {"algorithm": "dqn", **COMMON, "n_envs": 1}},
        "mountain-car": {"agent": {"algorithm": "sac", **COMMON, "use_sde": True}},
    },
}


def settings(task, scene, source):
    run = TrainingRun(task=task, scene=scene, reward_source=source, alpha=0, seed=0)
    return parse_config(CONFIG).training_settings(run)


def curve(output):
    table = pd.read_csv(output / "learning_curve.csv")
    return table.drop(columns=["wall_seconds", "frames_per_second"])


def test_trains_by_the_configuration(tmp_path):
    run = TrainingRun(
        task="cartpole", scene="gymnasium", reward_source="ground-truth", alpha=0, seed=0
    )
    train(settings("mountain-car", "textured", "sim"), EnvironmentReward(), tmp_path, device="cpu")
    table = curve(tmp_path)
    pd.testing.assert_series_equal(
        table["training_reward"], table["ground_truth"], check_names=False
    )
    assert table["oracle"].notna().all()


def test_draws_the_scene_of_the_run(tmp_path):
    shapes = set()

    def reward(frames):
        shapes.add(frames.shape[1:])
        return frames.mean(axis=(1, 2, 3))

    train(
        settings("mountain-car", "textured", "sim"),
        FrameReward(reward),
        tmp_path,
        workers=1,
        device="cpu",
    )
    assert shapes == {(400, 600, 3)}
    table = curve(tmp_path)
    assert table["oracle"].isna().all()
    assert not (tmp_path / "best-oracle.zip").exists()


@pytest.mark.gpu
def test_an_agent_of_a_gpu_learns_from_frames_and_acts_without(tmp_path, model_folder):
    source = FrameReward(VLMReward.load(model_folder, "a car", device="cuda"))
    train(settings("mountain-car", "textured", "sim"), source, tmp_path, workers=1)
    assert curve(tmp_path)["training_reward"].between(-1, 1).all()
    table, _ = evaluate(
        tmp_path / "policy.zip", parse_config(CONFIG).random_evaluation_settings("mountain-car")
    )
    assert len(table) == parse_config(CONFIG).evaluation.trajectories
