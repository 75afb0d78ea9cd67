"""Which trajectories videos show, and whose rewards are below them."""

import av
import numpy as np
import pandas as pd
import pytest

from vlmrm.config import TrainingRun, parse_config
from vlmrm.config.states import KEEP_EVERY
from vlmrm.rewards.steps import EnvironmentReward, FrameReward, StateReward
from vlmrm.rewards.windows import WindowReward
from vlmrm.training.evaluation import Episode
from vlmrm.training.videos import (
    kept_trajectories,
    record_episode,
    record_trajectories,
    trajectory_rewards,
    typical_trajectories,
)

RUN = TrainingRun(task="pole", scene="gymnasium", reward_source="eye", scoring="alpha-0", seed=0)
CONFIG = parse_config(
    {
        "run": "test",
        "scorings": ["alpha-0"],
        "models": {"eye": {"source": "function", "function": "some:eye"}},
        "tasks": {
            "pole": {"environment": "cartpole", "goal": "a pole", "oracle": "cartpole"},
            "kneel": {"environment": "humanoid", "goal": ["kneel", "knees"], "oracle": "kneeling"},
        },
        "training": {
            "cartpole": {"agent": {"algorithm": "dqn", "total_timesteps": 10}},
            "humanoid": {"agent": {"algorithm": "sac", "total_timesteps": 10}},
        },
    }
)
SETTINGS = CONFIG.recording_settings(RUN)


def judged(*shares):
    return pd.DataFrame({"success_fraction": np.array(shares, float)})


def test_the_median_is_recorded_first():
    table = judged(0.9, 0.1, 0.5, 0.7, 0.3)
    assert typical_trajectories(table, 1).tolist() == [2]
    assert typical_trajectories(table, 2).tolist() == [2, 4]
    assert typical_trajectories(table, 3).tolist() == [2, 3, 1]
    assert sorted(typical_trajectories(table, 9)) == [0, 1, 2, 3, 4]
    assert typical_trajectories(judged(0.5), 3).tolist() == [0]


def test_of_two_in_the_middle_the_worse_one_is_the_median():
    assert typical_trajectories(judged(0.2, 0.8), 1).tolist() == [0]
    assert typical_trajectories(judged(1, 0, 0.6, 0.4), 1).tolist() == [3]


def test_without_an_oracle_the_first_trajectories_are_recorded():
    assert typical_trajectories(judged(np.nan, np.nan, np.nan), 2).tolist() == [0, 1]


@pytest.fixture
def kept():
    """Trajectory 2, whose pole falls, and trajectory 0, whose pole stands."""
    falls = np.zeros((12, 4))
    falls[:, 2] = np.linspace(0, 1, 12)
    episodes = {2: Episode(falls, np.arange(12.0)), 0: Episode(np.zeros((7, 4)), np.ones(7))}
    return kept_trajectories(episodes, judged(1, 0.7, 0.25), "cartpole")


def test_trajectories_are_kept_with_their_verdicts_and_ranks(kept):
    assert len(kept) == 12 + 7
    assert kept.columns["step"].tolist() == [*range(12), *range(7)]
    assert dict.fromkeys(kept.columns["origin"].tolist()) == dict.fromkeys(
        ["trajectory 2, rank 3 of 3", "trajectory 0, rank 1 of 3"]
    )
    assert kept.labels["cartpole"][12:].all()
    assert not kept.labels["cartpole"][11]


def test_rewards_are_those_of_the_frames_that_the_model_sees(kept):
    seen = []

    def reward(frames):
        seen.append(frames)
        return np.arange(len(frames), dtype=np.float32)

    rewards = trajectory_rewards(kept, SETTINGS, FrameReward(reward, frames_per_call=5))
    assert [len(frames) for frames in seen] == [5, 5, 2, 5, 2]
    assert all(frames.shape[1:] == (400, 600, 3) for frames in seen)
    assert not np.array_equal(seen[0][0], seen[2][1]), "the pole falls"
    assert rewards.tolist() == [*range(5), *range(5), 0, 1, *range(5), 0, 1]


def test_windows_begin_anew_with_each_trajectory(kept):
    def changes(windows):
        return np.ptp(windows.reshape(len(windows), 2, -1).mean(axis=2), axis=1)

    rewards = trajectory_rewards(kept, SETTINGS, WindowReward(changes, 2, 4))
    assert rewards[0] == 0 and rewards[12] == 0
    assert rewards[KEEP_EVERY:12].min() > 0


def test_references_have_the_rewards_that_they_are(kept):
    assert trajectory_rewards(kept, SETTINGS, EnvironmentReward())[:12].tolist() == [*range(12)]
    angle = StateReward(lambda states: states[:, 2])
    rewards = trajectory_rewards(kept, SETTINGS, angle)
    np.testing.assert_allclose(rewards, kept.values[:, 2], atol=1e-6)


def test_a_video_has_every_step(tmp_path, kept):
    record_trajectories(tmp_path / "video.mp4", kept, SETTINGS, EnvironmentReward())
    with av.open(str(tmp_path / "video.mp4")) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
        assert float(video.streams.video[0].average_rate) == 50
    assert len(frames) == len(kept) + 2 * round(0.75 * 50)
    assert frames[0].shape[0] > 400


def test_an_episode_of_a_training_is_recorded_with_its_rewards(tmp_path):
    run = TrainingRun(task="pole", scene="gymnasium", reward_source="ground-truth", seed=0)
    settings = CONFIG.training_settings(run)
    path = tmp_path / "videos" / "000064000.mp4"
    record_episode(path, np.zeros((3, 4)), np.ones(3, np.float32), settings, None)
    assert path.stat().st_size > 1000


def test_a_video_reads_the_sentences_of_references_too():
    run = TrainingRun(task="kneel", scene="textured", reward_source="oracle", seed=0)
    assert CONFIG.recording_settings(run).goals == ["kneel", "knees"]
    assert CONFIG.training_settings(run).prompts.goals == []
