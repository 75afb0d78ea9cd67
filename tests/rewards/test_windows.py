"""Windows of the latest frames: in state sets, and in trainings."""

import itertools

import numpy as np
import pytest

from vlmrm.config.states import KEEP_EVERY
from vlmrm.data.frames import FrameReader, FrameWriter
from vlmrm.data.states import States
from vlmrm.rewards.steps import StepBatch
from vlmrm.rewards.windows import WindowReward, read_windows, window_rows


def states(count, **columns):
    return States("cartpole", np.zeros((count, 4)), columns)


def test_the_window_of_a_single_state_is_its_frame_repeated():
    poses = states(3, trajectory=np.array([4, 4, 2]))  # random motion, in no order of time
    assert window_rows(poses, 2).tolist() == [[0, 0], [1, 1], [2, 2]]


def test_the_window_of_a_rollout_is_its_latest_states_after_repeats_of_the_first():
    rollouts = states(5, trajectory=np.array([0, 0, 0, 1, 1]), step=np.array([0, 5, 10, 0, 5]))
    assert window_rows(rollouts, 3).tolist() == [
        *([0, 0, 0], [0, 0, 1], [0, 1, 2]),
        *([3, 3, 3], [3, 3, 4]),
    ]


def test_a_rollout_that_starts_late_and_out_of_order():
    rollouts = states(4, trajectory=np.array([1, 0, 1, 0]), step=np.array([15, 5, 5, 10]))
    assert window_rows(rollouts, 2).tolist() == [[2, 0], [1, 1], [2, 2], [1, 3]]


def test_states_without_a_past_keep_none_beside_rollouts():
    poses = states(2, trajectory=np.array([3, 3]))
    rollouts = states(2, trajectory=np.array([0, 0]), step=np.array([0, 5]))
    joined = States.join({"poses": poses, "rollouts": rollouts, "grid": states(1)})
    assert window_rows(joined, 2).tolist() == [[0, 0], [1, 1], [2, 2], [2, 3], [4, 4]]


def test_windows_are_read_in_batches(tmp_path):
    frames = np.arange(5 * 12, dtype=np.uint8).reshape(5, 2, 2, 3)
    with FrameWriter(tmp_path / "frames.h5", len(frames)) as writer:
        writer.append(frames)
    rows = np.array([[0, 0], [4, 1], [2, 2]])
    with FrameReader(tmp_path / "frames.h5") as reader:
        batches = list(read_windows(reader, rows, 2))
    assert [len(batch) for batch in batches] == [2, 1]
    np.testing.assert_array_equal(np.concatenate(batches), frames[rows])


STEPS, ENVS, WINDOW = 60, 3, 3


@pytest.fixture
def steps():
    """Frames that say which step they are of, and ends of episodes."""
    rng = np.random.default_rng(1)
    frames = np.zeros((STEPS, ENVS, 1, 1, 3), dtype=np.uint8)
    frames[..., 0] = np.arange(STEPS)[:, None, None, None]
    frames[..., 1] = np.arange(ENVS)[:, None, None]
    return frames, rng.random((STEPS, ENVS)) < 0.08


def reward(windows):
    """A number that is another for each window."""
    assert (windows[..., 1] == windows[:, -1:, ..., 1]).all(), "of one environment"
    return windows[..., 0, 0, 0].astype(float) @ [1, 100, 10_000]


def expected(frames, dones):
    """The same, step by step."""
    rewards = np.empty(dones.shape)
    for env in range(ENVS):
        start = 0
        for step in range(STEPS):
            window = [max(step - KEEP_EVERY * back, start) for back in (2, 1, 0)]
            rewards[step, env] = np.dot(window, [1, 100, 10_000])
            if dones[step, env]:
                start = step + 1
    return rewards


def rewards_by(source, frames, dones, *cuts):
    nothing = np.zeros(dones.shape)
    return np.concatenate(
        [
            source(StepBatch(nothing[a:b], nothing[a:b], dones[a:b], frames[a:b]))
            for a, b in itertools.pairwise((0, *cuts, len(dones)))
        ]
    )


@pytest.mark.parametrize("cuts", [(), (1, 2, 3, 30), (7, 11, 40), tuple(range(1, STEPS))])
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_window_of_a_step_is_within_its_episode_however_calls_are_cut(steps, cuts, batch_size):
    frames, dones = steps
    assert dones.any(axis=0).all()
    source = WindowReward(reward, WINDOW, batch_size)
    np.testing.assert_array_equal(rewards_by(source, frames, dones, *cuts), expected(*steps))


def test_frames_that_are_overwritten_later_stay_in_the_window(steps):
    frames, dones = steps
    source = WindowReward(reward, WINDOW, 10)
    ring = frames[:4].copy()
    found = []
    for start in range(0, STEPS, 4):
        ring[:] = frames[start : start + 4]
        found.append(rewards_by(source, ring, dones[start : start + 4]))
    np.testing.assert_array_equal(np.concatenate(found), expected(*steps))


def test_windows_go_on_from_a_state(steps):
    frames, dones = steps
    before = WindowReward(reward, WINDOW, 10)
    assert before.state is None
    rewards_by(before, frames[:25], dones[:25])
    after = WindowReward(reward, WINDOW, 10)
    after.state = before.state
    found = rewards_by(after, frames[25:], dones[25:])
    np.testing.assert_array_equal(found, expected(*steps)[25:])
