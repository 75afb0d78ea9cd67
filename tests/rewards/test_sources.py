from pathlib import Path

import numpy as np
import pandas as pd

from tests.training.toy import COMMON
from vlmrm.config import TrainingRun, parse_config
from vlmrm.data.tables import write_table
from vlmrm.rewards.files import RewardFiles
from vlmrm.rewards.sources import reference_reward, reward_checksums
from vlmrm.rewards.steps import StepBatch
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import pose_library


def test_references_reward_the_verdict_the_score_or_what_the_environment_does():
    poses = np.stack([pose.state for pose in list(pose_library().values())[:6]])
    environment_rewards = np.arange(6, dtype=np.float32).reshape(3, 2)
    steps = StepBatch(poses.reshape(3, 2, -1), environment_rewards, np.zeros((3, 2), bool))
    kneeling = ORACLES["kneeling"]
    expected = {
        "oracle": kneeling(poses),
        "oracle-score": kneeling.score(poses),
        "ground-truth": environment_rewards,
    }
    for name, values in expected.items():
        rewards = reference_reward(name, "kneeling")(steps)
        np.testing.assert_allclose(rewards, np.reshape(values, (3, 2)))


CONFIG = parse_config(
    {
        "run": "r",
        "scorings": ["alpha-0"],
        "models": {
            "sim": {"source": "packaged", "architecture": "sim-XS"},
            "judge": {"source": "function", "function": "anywhere:make"},
        },
        "tasks": {"car": {"environment": "mountain-car", "goal": "a car"}},
        "training": {"mountain-car": {"agent": {"algorithm": "sac", **COMMON}}},
    }
)


def settings(source):
    return CONFIG.training_settings(
        TrainingRun(task="car", scene="textured", reward_source=source, seed=0)
    )


def test_checksums_are_of_the_content_that_a_reward_is_read_from(tmp_path):
    path = tmp_path / "rewards.parquet"
    grid = (tmp_path / "unread.h5", path, tmp_path / "unread.csv")

    def checksums(rewards, **others):
        table = pd.DataFrame({"state": [0, 1], "reward": rewards, "task": "car", **others})
        write_table(path, table, seed=len(others))  # which is written in the file, too
        return reward_checksums(settings("sim"), RewardFiles(grid=grid))

    first = checksums([0.1, 0.2], scoring="alpha-0")
    assert first == checksums([0.1, 0.2], scoring="alpha-0")
    assert first != checksums([0.1, 0.3], scoring="alpha-0")
    both = checksums([0.1, 0.2], scoring=["alpha-0", "alpha-1"])
    assert both == checksums([0.1, 0.3], scoring=["alpha-0", "alpha-1"])
    packaged = [
        reward_checksums(settings("sim"), RewardFiles([Path(name)])) for name in ("sim-XS", "sim-S")
    ]
    assert all(len(sha256) == 64 for found in packaged for sha256 in found.values())
    assert [*packaged[0].values()] != [*packaged[1].values()]


def test_an_ensemble_is_not_another_one_by_statistics_of_another_scoring(tmp_path):
    path = tmp_path / "statistics.csv"

    def checksum(means):
        rows = [(model, *row) for model in ("a", "b") for row in means.items()]
        table = pd.DataFrame(rows, columns=["model", "scoring", "mean"])
        write_table(path, table.assign(task="car", goal="", std=1.0))
        return reward_checksums(settings("sim"), RewardFiles(statistics=path))["statistics"]

    first = checksum({"alpha-0": 0.5})
    assert first == checksum({"alpha-0": 0.5, "alpha-1": 0.1})
    assert first == checksum({"alpha-1": 0.1, "alpha-0": 0.5})
    assert first != checksum({"alpha-0": 0.6})


def test_the_folder_of_a_function_has_no_weights(tmp_path):
    assert reward_checksums(settings("judge"), RewardFiles([tmp_path])) == {}
