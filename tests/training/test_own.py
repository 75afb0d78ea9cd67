"""Training and judging in an environment of the user's own."""

import os
import signal

import av
import numpy as np
import pytest

from tests.training.toy_training import curve
from vlmrm.config import TrainingRun, parse_config
from vlmrm.data.frames import FrameReader
from vlmrm.errors import UserError
from vlmrm.rewards.steps import EnvironmentReward, FrameReward
from vlmrm.training.checkpoints import Checkpoint
from vlmrm.training.evaluation import Played, judge
from vlmrm.training.live import evaluate_live, sample_live_rollouts
from vlmrm.training.run import Interrupted, train
from vlmrm.training.videos import record_trajectories, trajectory_rewards

AGENT = {
    "algorithm": "dqn",
    "total_timesteps": 400,
    "n_envs": 2,
    "episode_steps": 12,
    "learning_starts": 40,
    "train_freq": 10,
    "gradient_steps": 5,
    "batch_size": 16,
    "buffer_size": 400,
    "net_arch": [16],
    "n_steps": 3,
    "save_freq": 80,
}
RUN = TrainingRun(task="arrive", scene="default", reward_source="ground-truth", seed=1)


def config(**changes):
    own = {"id": "tests.envs.foreign:Walker", "success": "is_success", **changes}
    agent = AGENT
    if own["id"].endswith("Steered"):
        agent = {**AGENT, "algorithm": "sac"}
    return parse_config(
        {
            "run": "test",
            "scorings": ["alpha-0"],
            "models": {},
            "environments": {"walk": own},
            "tasks": {"arrive": {"environment": "walk", "goal": "an end", "oracle": "success"}},
            "training": {"walk": {"agent": agent}},
            "evaluation": {"trajectories": 5, "video_trajectories": 2},
            "state_sets": {
                "met": {
                    "sampler": "rollouts",
                    "environment": "walk",
                    "run": {**RUN.model_dump(), "reward_source": "random-policy"},
                    "size": 30,
                },
                "learned": {
                    "sampler": "rollouts",
                    "environment": "walk",
                    "run": RUN.model_dump(),
                    "size": 30,
                },
            },
        }
    )


def train_walker(output, reward=None, workers=0, **changes):
    settings = config(**changes).training_settings(RUN)
    train(settings, reward or EnvironmentReward(), output, workers, "cpu")
    return curve(output)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    output = tmp_path_factory.mktemp("walker")
    train_walker(output)
    return output


class Interrupting(EnvironmentReward):
    """The environment's own reward, and a signal at one of its calls."""

    def __init__(self, call):
        self.left = call

    def __call__(self, steps):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().__call__(steps)


@pytest.mark.parametrize("kind", ["Walker", "Pictured", "Steered"])
def test_agents_learn_from_vectors_pictures_and_by_numbers(tmp_path, kind):
    table = train_walker(tmp_path, id=f"tests.envs.foreign:{kind}")
    assert table["steps"].iloc[-1] == 400
    # The verdict is the state's: where the walker arrives, its own reward is 1.
    assert table["oracle"].max() > 0
    np.testing.assert_allclose(table["oracle"], table["ground_truth"])
    assert (tmp_path / "best-oracle.zip").exists()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_frame_shows_the_state_after_its_step_also_where_an_episode_ends(tmp_path, workers):
    seen = []

    class Watching(FrameReward):
        def __call__(self, steps):
            seen.append((steps.states.copy(), steps.frames.copy()))
            return steps.environment_rewards

    train_walker(tmp_path, Watching(None, frames_per_call=6), workers)
    states, frames = (np.concatenate(part) for part in zip(*seen, strict=True))
    arrived = states[..., -1] == 1
    assert arrived.any()
    assert (frames[..., 0, 0, 0][arrived] == 3).all(), "the last frame is from before the reset"
    place = np.round(states[..., 0] * 3)
    np.testing.assert_array_equal(frames[..., 0, 0, 0], place)


@pytest.mark.parametrize("opaque", [False, True])
def test_an_interrupted_training_goes_on_without_gap_or_duplicate(
    tmp_path, trained, opaque, caplog
):
    kwargs = {"kwargs": {"opaque": opaque}}
    with pytest.raises(Interrupted):
        train_walker(tmp_path, Interrupting(9), **kwargs)
    state = Checkpoint(tmp_path / "checkpoints" / "resume").load()
    assert (state["environments"] is None) == opaque
    with pytest.raises(Interrupted):
        train_walker(tmp_path, Interrupting(7), **kwargs)
    table = train_walker(tmp_path, **kwargs)
    steps = table["steps"].to_numpy()
    assert steps[0] == 20
    assert (np.diff(steps) == 20).all()
    assert steps[-1] == 400
    assert ("goes on with new ones" in caplog.text) == opaque
    whole = curve(trained)
    if not opaque:
        assert table.equals(whole), "exactly as if it had not been interrupted"
    first = table["steps"] <= 160
    assert table[first].equals(whole[first])


def test_episodes_that_were_cut_off_are_truncated_in_the_replay_buffer(tmp_path, monkeypatch):
    kwargs = {"kwargs": {"opaque": True, "length": 50}}
    for call in (9, 7):
        with pytest.raises(Interrupted):
            train_walker(tmp_path, Interrupting(call), **kwargs)
    buffers = []
    restore = Checkpoint.restore

    def watched(self, state, agent):
        restore(self, state, agent)
        buffers.append(agent.replay_buffer)

    monkeypatch.setattr(Checkpoint, "restore", watched)
    with pytest.raises(Interrupted):
        train_walker(tmp_path, Interrupting(1), **kwargs)
    (buffer,) = buffers
    state = Checkpoint(tmp_path / "checkpoints" / "resume").load()
    assert len(state["cuts"]) == 2
    for cut in state["cuts"]:
        assert buffer.dones[cut - 1].all()
        assert buffer.timeouts[cut - 1].all(), "their values are still estimated"
    assert buffer.dones[:30].sum() < 10


def test_trajectories_are_kept_with_their_frames_while_a_policy_is_judged(tmp_path, trained):
    settings = config().evaluation_settings(RUN)
    frames = tmp_path / "frames.h5"
    table, kept = evaluate_live(trained / "policy.zip", settings, frames, workers=0)
    assert list(table["trajectory"]) == [0, 1, 2, 3, 4]
    assert table["success"].notna().all()
    assert len(kept) == table["steps"][:2].sum()
    assert set(kept.columns["trajectory"]) == {0, 1}
    np.testing.assert_array_equal(kept.labels["success"], kept.values[:, -1])
    with FrameReader(frames) as reader:
        shown = reader[:]
    np.testing.assert_array_equal(shown[:, 0, 0, 0], np.round(kept.values[:, 0] * 3))


def test_a_video_shows_the_frames_that_were_drawn(tmp_path, trained):
    content = config()
    _, kept = evaluate_live(
        trained / "policy.zip", content.evaluation_settings(RUN), tmp_path / "frames.h5", workers=0
    )
    reward = FrameReward(lambda frames: frames.mean(axis=(1, 2, 3)))
    settings = content.recording_settings(RUN)
    with FrameReader(tmp_path / "frames.h5") as reader:
        rewards = trajectory_rewards(kept, settings, reward, reader)
        np.testing.assert_allclose(rewards, reader[:].mean(axis=(1, 2, 3)))
        record_trajectories(tmp_path / "video.mp4", kept, settings, reward, reader)
    with av.open(str(tmp_path / "video.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) > len(kept)


@pytest.mark.parametrize("name", ["met", "learned"])
def test_state_sets_come_with_their_frames(tmp_path, trained, name):
    settings = config().rollout_settings(name)
    folder = trained if name == "learned" else None
    states = sample_live_rollouts(settings, folder, tmp_path / "frames.h5", 1)
    assert len(states) == 30
    assert set(states.labels) == {"success"}
    np.testing.assert_array_equal(states.labels["success"], states.values[:, -1])
    with FrameReader(tmp_path / "frames.h5") as reader:
        frames = reader[:]
    np.testing.assert_array_equal(frames[:, 0, 0, 0], np.round(states.values[:, 0] * 3))
    assert states.names == ["observation[0]", "observation[1]", "observation[2]", "success"]
    # The frames tell episodes apart, and so do the trajectories.
    together = set(
        zip(states.columns["trajectory"].tolist(), states.columns["origin"], strict=True)
    )
    assert len({t for t, _ in together}) > 1


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_of_an_environment_names_it_and_keeps_its_traceback(tmp_path, workers):
    settings = config(id="tests.envs.foreign:Fragile").training_settings(RUN)
    problem = r"^environments\.walk: raised ValueError: lost its balance; correct it"
    with pytest.raises(UserError, match=problem) as caught:
        train(settings, EnvironmentReward(), tmp_path, workers, "cpu")
    (traceback,) = caught.value.__notes__
    assert 'raise ValueError("lost its balance")' in traceback


def test_a_changed_environment_does_not_continue_a_training(tmp_path):
    with pytest.raises(Interrupted):
        train_walker(tmp_path, Interrupting(3))
    with pytest.raises(Exception, match=r"environment\.kwargs\.length was None, now 7"):
        train_walker(tmp_path, kwargs={"length": 7})


@pytest.mark.parametrize(
    ("verdicts", "quorum", "success"),
    [
        ([1, 1, 1, 0], 0.5, False),  # it falls
        ([0, 0, 1], 0.8, True),  # it arrives
        ([0, 0, 1], 0.9, False),
        ([0, 1, 0], 0, True),
        ([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0], 0.5, True),
    ],
)
def test_an_episode_that_ends_early_stays_as_it_ended(verdicts, quorum, success):
    settings = config(quorum=quorum).evaluation_settings(RUN)
    states, done = np.zeros((1, 12, 2)), np.zeros((1, 12), bool)
    states[0, : len(verdicts), -1] = verdicts
    states[0, len(verdicts) :, -1] = 1 - verdicts[-1]  # the next episode
    done[0, len(verdicts) - 1] = True
    table = judge(Played(states, np.zeros((1, 12)), done), settings)
    assert table["success"].item() == success
