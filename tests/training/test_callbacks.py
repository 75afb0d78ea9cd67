import numpy as np
import pandas as pd
import pytest

from tests.training.toy import AGENTS
from tests.training.toy_training import at_call, policy_weights, terminate, train_toy
from vlmrm.training.run import Interrupted


def test_results(tmp_path):
    table = train_toy(tmp_path, AGENTS["dqn"])
    assert list(table["steps"]) == list(range(15, 361, 15))
    assert table["loss"].isna().sum() == 2, "no updates in the first rounds"
    assert table["episodes"].iloc[-1] == 3 * (120 // 7)
    np.testing.assert_allclose(table["training_reward"], table["ground_truth"], rtol=1e-6)
    assert table["oracle"].between(0, 1).all()
    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {"policy.zip", "best.zip", "best-oracle.zip", "tensorboard"}
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == [f"{steps:09}.zip" for steps in range(60, 361, 60)]
    assert any((tmp_path / "tensorboard").iterdir())


def test_what_is_saved_in_the_middle_of_a_round_is_saved_at_its_end(tmp_path):
    agent = AGENTS["dqn"].model_copy(update={"total_timesteps": 350, "save_freq": 20})
    train_toy(tmp_path, agent)
    kept = [int(path.stem) for path in sorted((tmp_path / "checkpoints").iterdir())]
    assert kept == list(range(30, 361, 30)), "rounds have 15 steps"
    assert (agent.whole_timesteps, agent.whole_save_freq) == (360, 30)


def reward_of_frames(start, stop, otherwise=0.0):
    """A reward of 1 for the frames from one number to another, of all that it has seen."""
    seen = 0

    def reward(frames):
        nonlocal seen
        seen += len(frames)
        return np.full(len(frames), 1.0 if start < seen <= stop else otherwise)

    return reward


def test_a_few_lucky_episodes_at_the_start_do_not_choose_the_policy(tmp_path):
    train_toy(tmp_path, AGENTS["dqn"], reward_of_frames(0, 60, otherwise=0.1))
    best = policy_weights(tmp_path / "best.zip")
    # Forty episodes, which score a policy, have ended after 300 of 360 steps.
    at_60, at_300 = (
        policy_weights(tmp_path / "checkpoints" / f"{steps:09}.zip") for steps in (60, 300)
    )
    assert all(np.array_equal(best[k], at_300[k]) for k in best)
    assert not all(np.array_equal(best[k], at_60[k]) for k in best)


def test_the_best_policy_is_that_of_the_best_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr("vlmrm.training.curve.MIN_RECENT_EPISODES", 8)

    train_toy(tmp_path, AGENTS["dqn"], reward_of_frames(100, 180))
    best = policy_weights(tmp_path / "best.zip")
    at_180 = policy_weights(tmp_path / "checkpoints" / "000000180.zip")
    final = policy_weights(tmp_path / "policy.zip")
    assert all(np.array_equal(best[k], at_180[k]) for k in best)
    assert not all(np.array_equal(best[k], final[k]) for k in best)


def test_a_worse_policy_does_not_replace_the_best_where_rows_do_not_end_at_saves(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("vlmrm.training.curve.MIN_RECENT_EPISODES", 15)
    monkeypatch.setattr("vlmrm.training.run.MAX_ROWS", 8)

    # Rows end every 45 steps: the one before the policy of 120 steps has only 12 episodes.
    train_toy(tmp_path, AGENTS["dqn"], reward_of_frames(0, 120, otherwise=0.1))
    best = policy_weights(tmp_path / "best.zip")
    at_120 = policy_weights(tmp_path / "checkpoints" / "000000120.zip")
    assert all(np.array_equal(best[k], at_120[k]) for k in best)


@pytest.mark.parametrize("stop_at", [None, 8, 32])
def test_the_latest_episode_is_shown_at_every_checkpoint(tmp_path, stop_at):
    videos = {}

    def write_video(path, states, rewards):
        videos[path] = states, rewards

    if stop_at is not None:
        with pytest.raises(Interrupted):
            train_toy(tmp_path, AGENTS["dqn"], at_call(stop_at, terminate), write_video=write_video)
    train_toy(tmp_path, AGENTS["dqn"], write_video=write_video)
    names = [path.stem for path in videos]
    checkpoints = sorted(p.stem for p in (tmp_path / "checkpoints").glob("*.zip"))
    assert names[-1] == checkpoints[-1] == "000000360"
    if stop_at is None:
        assert names == checkpoints
    else:  # between it and the next checkpoint, no episode may begin and end
        assert names == [name for name in checkpoints if name in names]
    assert len(names) >= (5 if stop_at is None else 4)
    for path, (episode, rewards) in videos.items():
        assert path.parent == tmp_path / "videos"
        assert rewards.shape == (len(episode),)
        np.testing.assert_array_equal(episode[:, 1], np.arange(1, 8))  # whole, and of one piece
        assert len(np.unique(episode[:, 2])) == 1


def test_a_training_without_checkpoints_in_between_has_a_video_too(tmp_path):
    paths = []
    agent = AGENTS["dqn"].model_copy(update={"save_freq": 10_000})
    train_toy(tmp_path, agent, write_video=lambda path, states, rewards: paths.append(path))
    assert paths == [tmp_path / "videos" / "000000360.mp4"]


def test_a_training_goes_on_without_its_videos(tmp_path, caplog):
    resumable = []

    def write_video(path, states, rewards):
        resumable.append((tmp_path / "checkpoints" / "resume" / "state.npz").exists())
        raise RuntimeError("EGL_CONTEXT_LOST")

    train_toy(tmp_path, AGENTS["dqn"], write_video=write_video)
    assert (tmp_path / "policy.zip").exists()
    assert (tmp_path / "checkpoints" / "000000060.zip").exists()
    assert resumable == [False, *[True] * 5], "what failed at 60 steps is no reason to save nothing"
    reason = f"{tmp_path / 'videos' / '000000060.mp4'}: not written (EGL_CONTEXT_LOST)"
    assert caplog.messages[0] == reason
    assert len(caplog.messages) == len(resumable)


def test_time_goes_on_after_an_interruption(tmp_path):
    with pytest.raises(Interrupted):
        train_toy(tmp_path, AGENTS["dqn"], at_call(50, terminate))
    train_toy(tmp_path, AGENTS["dqn"])
    seconds = pd.read_csv(tmp_path / "learning_curve.csv")["wall_seconds"]
    assert seconds.is_monotonic_increasing and seconds.is_unique
