import functools
import os
import signal
import time

import gymnasium as gym
import numpy as np
import pytest

from tests.processes import FORK, HANGS
from tests.training.toy import BrokenPrinter, Printer, die, fail, hang, slider, states_in
from vlmrm.envs import make_env
from vlmrm.errors import UserError
from vlmrm.training.vec_env import vector_env as module
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv, WorkerError
from vlmrm.training.vec_env.worker import STOP_SIGNALS


@pytest.fixture
def vector_env():
    made = []

    def make(*args, workers, **kwargs):
        made.append(VectorEnv(EnvSpec(*args, **kwargs), workers))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_frames_show_the_state_before_the_reset(vector_env, workers):
    env = vector_env(slider(episode_steps=5), 3, Printer, workers=workers, slots=4)
    env.seed(0)
    env.reset()
    lasts = 0
    for step in range(12):
        _, _, dones, infos = env.step(np.full(3, 2))
        env.finish_frames()
        shown = states_in(env.frames(step % 4, 1))[0]
        np.testing.assert_array_equal(shown, env.states)
        for i in np.flatnonzero(dones):
            lasts += 1
            assert shown[i, 1] == 5
            assert infos[i]["terminal_observation"][0] == np.float32(shown[i, 0])
    assert lasts == 6


@pytest.mark.parametrize("workers", [0, 2])
def test_frames_larger_than_memory_are_refused(vector_env, workers, monkeypatch):
    monkeypatch.setattr("vlmrm.machine.memory.main_memory", lambda: 0)
    with pytest.raises(UserError, match=r"n_envs: needs about .* of memory"):
        vector_env(slider(episode_steps=5), 3, Printer, workers=workers, slots=4)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_original_shows_the_first_state_of_the_next_episode(vector_env, workers):
    env = vector_env(
        slider(episode_steps=5), 3, Printer, workers=workers, slots=4, frames_after_reset=True
    )
    env.reset()
    for step in range(12):
        _, _, dones, _ = env.step(np.full(3, 2))
        env.finish_frames()
        shown = states_in(env.frames(step % 4, 1))[0]
        np.testing.assert_array_equal(shown[~dones], env.states[~dones])
        np.testing.assert_array_equal(shown[dones, 1], 0)
        np.testing.assert_array_equal(shown[dones, 2], env.states[dones, 2] + 1)


@pytest.mark.parametrize("workers", [0, 2])
def test_older_frames_stay_until_their_slot_is_used_again(vector_env, workers):
    env = vector_env(slider(), 2, Printer, workers=workers, slots=3)
    env.reset()
    seen = []
    for _ in range(3):
        env.step(np.zeros(2))
        seen.append(env.states)
    env.finish_frames()
    np.testing.assert_array_equal(states_in(env.frames(0, 3)), seen)


def test_time_limits_are_truncations_and_falls_are_not(vector_env):
    env = vector_env(slider(episode_steps=4, fall_at=2.5), 2, workers=0)
    env.seed(3)
    env.reset()
    ends = {True: 0, False: 0}
    for _ in range(60):
        _, _, dones, infos = env.step(np.full(2, 2))
        for i in np.flatnonzero(dones):
            position = infos[i]["terminal_observation"][0]
            assert infos[i]["TimeLimit.truncated"] == (abs(position) <= 2.5)
            ends[infos[i]["TimeLimit.truncated"]] += 1
    assert ends[True] and ends[False]


def test_workers_change_nothing(vector_env):
    outcomes = []
    for workers in (0, 1, 2):
        env = vector_env(slider(), 5, workers=workers)
        env.seed(7)
        steps = [env.reset()]
        rng = np.random.default_rng(0)
        for _ in range(10):
            steps.extend(env.step(rng.integers(0, 3, 5))[:2])
        outcomes.append(np.concatenate([np.ravel(s) for s in steps]))
    np.testing.assert_array_equal(outcomes[0], outcomes[1])
    np.testing.assert_array_equal(outcomes[0], outcomes[2])


def test_environments_start_differently(vector_env):
    env = vector_env(slider(), 4, workers=0)
    env.seed(0)
    assert len(set(env.reset()[:, 0])) == 4


def test_what_is_returned_does_not_change_later(vector_env):
    env = vector_env(slider(), 2, workers=0)
    first = env.reset()
    kept = first.copy()
    env.step(np.zeros(2))
    np.testing.assert_array_equal(first, kept)


def test_observations_are_single_precision(vector_env):
    env = vector_env(slider(), 1, workers=0)
    assert env.observation_space.dtype == env.reset().dtype == np.float32


@pytest.mark.parametrize(("trouble", "message"), [(die, "-9"), (fail, "the bead is lost")])
def test_a_worker_that_stops_is_reported(vector_env, trouble, message):
    env = vector_env(slider(trouble=trouble), 4, workers=2)
    env.reset()
    with pytest.raises(WorkerError, match=message):
        env.step(np.zeros(4))


def test_a_worker_that_hangs_is_reported_and_ended(vector_env):
    env = vector_env(slider(trouble=hang), 1, workers=1)
    env.reset()
    (pid,) = env.env_method("getpid")
    env.timeout = 0.1
    with pytest.raises(WorkerError, match=r"not answered for 0\.1 s; an env"):
        env.step(np.zeros(1))
    env.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_of_many_environments_has_more_time(vector_env, monkeypatch):
    monkeypatch.setattr(module, "WAIT", 0.05)
    env = vector_env(slider(trouble=functools.partial(time.sleep, 0.1)), 12, workers=1)
    env.reset()
    env.timeout = 1.1
    env.step(np.zeros(12))


def step_slowly(ready):
    """Takes steps of a fifth of a second, with workers that hang after one."""
    os.setsid()
    module.WAIT = 0.05
    env = VectorEnv(EnvSpec(slider(trouble=functools.partial(time.sleep, 0.2)), 1), workers=1)
    env.reset()
    env.timeout = 1.0
    ready.set()
    for _ in range(6):
        env.step(np.zeros(1))
    env.close()


def test_time_asleep_does_not_count(capfd):
    ready = FORK.Event()
    process = FORK.Process(target=step_slowly, args=(ready,))
    process.start()
    assert ready.wait(HANGS)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGSTOP)  # as Ctrl-Z and schedulers do
        time.sleep(1.5)
        os.killpg(process.pid, signal.SIGCONT)
        time.sleep(0.5)
    process.join()
    assert process.exitcode == 0, capfd.readouterr().err


@pytest.mark.parametrize("workers", [0, 2])
def test_what_a_user_can_mend_is_told_as_such(vector_env, workers):
    with pytest.raises(UserError, match="no picture today"):
        vector_env(slider(), 2, BrokenPrinter, workers=workers)


def test_workers_survive_the_signals_of_their_group(vector_env):
    env = vector_env(slider(), 1, workers=1)
    env.reset()
    (pid,) = env.env_method("getpid")
    for number in STOP_SIGNALS:
        os.kill(pid, number)
    time.sleep(0.1)
    env.step(np.zeros(1))


@pytest.mark.parametrize("name", ["cartpole", "mountain-car", "humanoid"])
def test_a_restored_environment_goes_on_exactly(vector_env, name):
    def play(env, steps):
        actions = [[env.action_space.sample() for _ in range(2)] for _ in range(steps)]
        return [
            np.concatenate([*env.step(np.array(a))[:2][0], env.states.ravel()]) for a in actions
        ]

    env = vector_env(functools.partial(make_env, name, 8), 2, workers=0)
    env.seed(0)
    env.reset()
    env.action_space.seed(0)
    play(env, 5)
    kept = env.snapshot()
    env.action_space.seed(1)
    expected = play(env, 10)
    other = vector_env(functools.partial(make_env, name, 8), 2, workers=0)
    other.reset()
    other.restore(kept)
    other.action_space.seed(1)
    np.testing.assert_array_equal(play(other, 10), expected)


def test_attributes_and_methods_reach_the_right_environment(vector_env):
    env = vector_env(slider(), 4, workers=2)
    env.set_attr("position", 9.0, indices=[1, 2])
    positions = env.get_attr("position")
    assert positions[1] == positions[2] == 9
    assert 9 not in (positions[0], positions[3])
    assert env.get_attr("position", indices=2) == [9]


class Remembering(gym.Env):
    """Its reward is the change of the action."""

    observation_space = action_space = gym.spaces.Box(-1, 1, (1,))

    def __init__(self):
        self.last = np.zeros(1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def state_vector(self):
        return np.zeros(1)

    def step(self, action):
        change, self.last = float(np.abs(action - self.last)[0]), action
        return np.zeros(1, np.float32), change, False, False, {}


@pytest.mark.parametrize("workers", [0, 1])
def test_an_environment_may_keep_the_action(vector_env, workers):
    env = vector_env(Remembering, 1, workers=workers)
    env.reset()
    rewards = [env.step(np.full((1, 1), action))[1].item() for action in (1, -1, 1)]
    assert rewards == [1, 2, 2]
