import numpy as np
import pandas as pd
import pytest

from tests.data.test_files import space_for
from vlmrm.config import TrainingRun
from vlmrm.errors import UserError
from vlmrm.training.curve import MIN_RECENT_EPISODES, LearningCurve, best_reward

RUN = TrainingRun(
    task="kneeling", scene="textured", reward_source="sim-S", scoring="alpha-0.5", seed=3
)


def with_row(curve, steps, reward):
    rewards = np.full((2, 2), reward)
    curve.add(rewards, rewards > 0.5, np.zeros((2, 2)), np.array([[False, False], [True, False]]))
    curve.end_row(steps, seconds=1.5, rate=100.0, losses={"loss": 0.25})
    return curve


@pytest.fixture
def curve():
    return with_row(LearningCurve(RUN, n_envs=2, losses=["loss"]), 4, 0.25)


def test_rows_are_means_over_their_timesteps_behind_the_run_they_belong_to(curve, tmp_path):
    with_row(curve, 8, 0.75).write(tmp_path / "curve.csv")
    table = pd.read_csv(tmp_path / "curve.csv")
    assert table.columns[:5].tolist() == ["task", "scene", "reward_source", "scoring", "seed"]
    assert table["steps"].tolist() == [4, 8]
    assert table["training_reward"].tolist() == [0.25, 0.75]
    assert table["oracle"].tolist() == [0, 1]
    assert table["episodes"].tolist() == [1, 2]
    assert table["loss"].tolist() == [0.25, 0.25]


def test_a_full_disk_names_the_table_and_leaves_the_rows_before(curve, tmp_path):
    path = tmp_path / "curve.csv"
    curve.write(path)
    message = r"curve\.csv: File too large; make space there, and run again"
    with space_for(path.stat().st_size), pytest.raises(UserError, match=message):
        with_row(curve, 8, 0.75).write(path)
    assert pd.read_csv(path)["steps"].tolist() == [4]


def test_the_latest_episodes_score_the_policy(curve):
    assert curve.recent == {"reward": 0.25, "oracle": 0.0}
    for _ in range(40):
        with_row(curve, 8, 1.0)
    assert curve.recent == {"reward": 1.0, "oracle": 1.0}


def test_the_best_reward_is_that_of_as_many_episodes_as_score_a_policy():
    half = MIN_RECENT_EPISODES // 2
    rewards = [0.9, 0.1, 0.3, 0.5, 0.0]
    episodes = half * np.arange(1, 6)
    curve = pd.DataFrame({"training_reward": rewards, "episodes": episodes})
    # The first row alone has too few episodes.
    assert best_reward(curve) == pytest.approx(0.5)
    assert best_reward(curve[1:]) == pytest.approx(0.4)
    assert best_reward(curve[:1]) == pytest.approx(0.9)  # there are no others
    curve["episodes"] = 0
    assert best_reward(curve) == pytest.approx(0.36)


@pytest.mark.parametrize("n_envs", [8, 64])
@pytest.mark.parametrize("gains", [np.zeros(12), np.sin(range(12))])
def test_the_best_reward_is_of_whole_episodes_as_for_the_best_policy(n_envs, gains):
    """Of an agent whose rewards rise in each episode, which has several rows."""
    curve, scores = LearningCurve(RUN, n_envs, losses=[]), []
    for gain in gains:
        for step in range(10):
            rewards, dones = np.full((1, n_envs), step + gain), np.full((1, n_envs), step == 9)
            curve.add(rewards, None, rewards, dones)
            row = curve.end_row(curve.steps + n_envs, seconds=1, rate=1, losses={})
        if row["episodes"] >= MIN_RECENT_EPISODES:
            scores.append(curve.recent["reward"])
    assert best_reward(pd.DataFrame(curve.rows)) == pytest.approx(max(scores))
