"""Frames that are scored later, many at once."""

import numpy as np
import pytest

from tests.rewards.counting import shown
from vlmrm import FrameQueue, frames_in
from vlmrm.errors import UserError


def pictures(*numbers):
    frames = np.zeros((len(numbers), 2, 4, 3), np.uint8)
    frames[..., 1] = np.reshape(numbers, (-1, 1, 1))
    return frames


@pytest.fixture
def calls():
    return []


@pytest.fixture
def counted(calls):
    def reward(frames):
        calls.append(len(frames))
        return shown(frames)

    return reward


def test_rewards_arrive_where_they_belong_in_one_call(calls, counted):
    rewards = np.full((3, 2), np.nan)
    queue = FrameQueue(counted, rewards)
    queue.add(0, pictures(1, 2))
    queue.add((1, np.array([False, True])), pictures(3))
    queue.add((2, [1, 0]), pictures(4, 5))
    assert (len(queue), np.isnan(rewards).all()) == (5, True)
    queue.flush()
    np.testing.assert_equal(rewards, [[1, 2], [np.nan, 3], [5, 4]])
    queue.flush()
    assert (len(queue), calls) == (0, [5])


def test_a_step_that_only_resets_adds_nothing(counted):
    queue = FrameQueue(counted, np.zeros((2, 2)))
    queue.add((0, np.array([False, False])), frames_in({}, 2)[0])
    queue.add(1, pictures(1, 2))
    queue.flush()
    assert queue.rewards.tolist() == [[0, 0], [1, 2]]


def test_frames_do_not_pile_up(calls, counted):
    queue = FrameQueue(counted, np.zeros((9, 2)), frames_per_call=5)
    for row in range(9):
        queue.add(row, pictures(row, row))
        assert len(queue) < 5
    queue.flush()
    assert calls == [6, 6, 6]
    assert queue.rewards.tolist() == [[row, row] for row in range(9)]


def test_a_row_that_is_written_again_gets_its_latest_reward():
    queue = FrameQueue(shown, np.zeros((1, 1)))
    queue.add(0, pictures(1))
    queue.add(0, pictures(2))
    queue.flush()
    assert queue.rewards.tolist() == [[2]]


def test_a_reward_that_is_not_finite_ends_the_training():
    queue = FrameQueue(lambda frames: shown(frames) * np.nan, np.zeros((1, 2)))
    queue.add(0, pictures(1, 2))
    with pytest.raises(UserError, match="not finite in 2 of 2 steps"):
        queue.flush()


def test_infos_without_frames_have_none():
    frames, stepped = frames_in({}, 2)
    assert (len(frames), stepped.tolist()) == (0, [False, False])
