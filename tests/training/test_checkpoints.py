import functools
import os
import shutil
import signal
import time

import numpy as np
import pandas as pd
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer

from tests.damage import DAMAGES, damaged
from tests.processes import FORK
from tests.training.toy import AGENTS, reward_of_frames, slider
from tests.training.toy_training import (
    at_call,
    crash,
    curve,
    hang_up,
    logged_steps,
    policy_weights,
    terminate,
    train_toy,
)
from vlmrm.config import FunctionModel
from vlmrm.data.values import read_values, write_values
from vlmrm.errors import UserError
from vlmrm.rewards.windows import WindowReward
from vlmrm.training import checkpoints
from vlmrm.training.algorithms import make_agent
from vlmrm.training.checkpoints import Checkpoint, ReplayLog
from vlmrm.training.run import REQUEUE, Interrupted
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Trains an agent without interruption, once; returns the folder."""

    @functools.cache
    def train(name):
        output = tmp_path_factory.mktemp(name)
        train_toy(output, AGENTS[name])
        return output

    return train


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """The folder of a training that was interrupted shortly before its end."""
    output = tmp_path_factory.mktemp("crashed")
    with pytest.raises(KeyboardInterrupt):
        train_toy(output, AGENTS["dqn"], at_call(70, crash))
    return output


def train_toy_slowly(output):
    """So that it can be stopped in the middle."""

    def slow(frames):
        time.sleep(0.005)
        return reward_of_frames(frames)

    torch.set_num_threads(1)
    train_toy(output, AGENTS["sac"], slow, workers=1)


@pytest.fixture
def without_nohup():
    """Under nohup, trainings ignore SIGHUP."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, previous)


@pytest.mark.usefixtures("without_nohup")
@pytest.mark.parametrize(
    ("name", "stop"),
    [
        ("dqn", terminate),
        ("sac", terminate),
        ("sac", hang_up),
        ("dqn", crash),
        ("sac", crash),
        ("gsde", crash),
        ("tuned", crash),
    ],
)
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(tmp_path, whole, name, stop):
    expected = curve(whole(name))
    output = tmp_path / "interrupted"
    rounds = []
    for call in (17, 25, 8, 3):
        with pytest.raises((Interrupted, KeyboardInterrupt)):
            train_toy(output, AGENTS[name], at_call(call, stop))
        rounds.append(len(curve(output)))
        (output / "best.zip").unlink(missing_ok=True)  # as Snakemake does with a job's outputs
    actual = train_toy(output, AGENTS[name])
    assert rounds[-1] > rounds[0] > 0
    pd.testing.assert_frame_equal(actual, expected, check_exact=True)
    policies = [
        sorted(path.name for path in (folder / "checkpoints").iterdir())
        for folder in (output, whole(name))
    ]
    assert policies[0] == policies[1], "nothing is left to resume, and no policy is missing"
    assert logged_steps(output) == list(expected["steps"])
    if name == "dqn":
        for policy in ("policy.zip", "best.zip"):
            a, b = (policy_weights(folder / policy) for folder in (output, whole(name)))
            assert all(np.array_equal(a[k], b[k]) for k in b)


def test_windows_of_frames_outlive_interruptions(tmp_path):
    """A reward of the latest frame and of that five steps before, in episodes of seven."""

    def change(windows):
        return np.squeeze(np.diff(reward_of_frames(windows), axis=1), axis=1)

    def train(folder, reward=change):
        source = WindowReward(reward, window=2, batch_size=4)
        return train_toy(tmp_path / folder, AGENTS["dqn"], source=source)

    expected = train("whole")
    assert expected["training_reward"].any()
    for stop in (terminate, crash):
        for call in (30, 35, 10):
            with pytest.raises((Interrupted, KeyboardInterrupt)):
                train(stop.__name__, at_call(call, stop, change))
        pd.testing.assert_frame_equal(train(stop.__name__), expected, check_exact=True)


def test_with_nohup_a_closed_terminal_changes_nothing(tmp_path):
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        train_toy(tmp_path, AGENTS["dqn"], at_call(17, hang_up))
    finally:
        signal.signal(signal.SIGHUP, previous)


def test_a_crash_while_a_checkpoint_is_written_loses_nothing_else(tmp_path, whole, monkeypatch):
    expected = curve(whole("dqn"))
    output = tmp_path / "interrupted"
    with monkeypatch.context() as patch:
        complete = iter([True, True, False])
        states = checkpoints._random_states
        patch.setattr(
            checkpoints,
            "_random_states",
            lambda agent: states(agent) if next(complete) else crash(),
        )
        with pytest.raises(KeyboardInterrupt):
            train_toy(output, AGENTS["dqn"])
    assert len(list((output / "checkpoints" / "resume").glob("replay-*"))) == 3
    pd.testing.assert_frame_equal(train_toy(output, AGENTS["dqn"]), expected, check_exact=True)


def test_the_checkpoint_keeps_no_more_than_the_replay_buffer(resume):
    files = sorted(resume.glob("replay-*"))
    # 50 rows fit into the buffer; a checkpoint adds 20.
    assert [path.stem for path in files] == [
        f"replay-{start:012}-{start + 20:012}" for start in (40, 60, 80)
    ]


def test_other_settings_do_not_continue_a_checkpoint(tmp_path):
    with pytest.raises(Interrupted):
        train_toy(tmp_path, AGENTS["dqn"], at_call(50, terminate))
    changed = AGENTS["dqn"].model_copy(update={"gamma": 0.5})
    with pytest.raises(UserError, match=r"agent\.gamma was 0\.99, now 0\.5"):
        train_toy(tmp_path, changed)


def test_another_version_of_a_function_does_not_continue_a_checkpoint(tmp_path):
    first, second = (
        {"function": FunctionModel(source="function", function="mine:make", version=v).model_dump()}
        for v in ("1", "2")
    )
    with pytest.raises(Interrupted):
        train_toy(tmp_path, AGENTS["dqn"], at_call(50, terminate), identity=first)
    with pytest.raises(UserError, match=r"function\.version was 1, now 2"):
        train_toy(tmp_path, AGENTS["dqn"], identity=second)
    train_toy(tmp_path, AGENTS["dqn"], identity=first)


@pytest.fixture
def resume(tmp_path, crashed):
    """The checkpoint of an interrupted training."""
    shutil.copytree(crashed, tmp_path, dirs_exist_ok=True)
    return tmp_path / "checkpoints" / "resume"


@pytest.mark.parametrize("size", [50, 100, 200])
def test_a_replay_buffer_comes_back_also_if_no_older_file_was_deleted(tmp_path, size):
    def buffer():
        space = spaces.Box(-1, 1, (1,))
        return ReplayBuffer(size, space, space, "cpu", handle_timeout_termination=True)

    full, log = buffer(), ReplayLog(tmp_path)
    for row in range(128):
        value = np.full((1, 1), row / 128, np.float32)
        full.add(value, value + 1 / 128, value, value[0], np.zeros(1), [{}])
        if row + 1 in (64, 128):
            log.extend(full, row + 1)
    again = buffer()
    log.restore(again, 128)
    assert (again.pos, again.full) == (full.pos, full.full)
    for name in ("observations", "next_observations", "actions", "rewards"):
        np.testing.assert_array_equal(getattr(again, name), getattr(full, name))


def restored(folder):
    """What a training would continue with."""
    agent = AGENTS["dqn"]
    env = VectorEnv(EnvSpec(slider(), agent.n_envs), workers=0)
    model = make_agent(agent, env, 0, "cpu")
    checkpoint = Checkpoint(folder)
    state = checkpoint.load()
    checkpoint.restore(state, model)
    buffer = model.replay_buffer
    return [
        *(weights.numpy() for weights in model.policy.state_dict().values()),
        *(buffer.observations, buffer.next_observations, buffer.actions, buffer.rewards),
        *(buffer.dones, buffer.timeouts, np.random.random(5), model._last_obs),  # noqa: NPY002
        env.get_attr("position"),
        state["curve"]["sums"],
    ]


@pytest.mark.parametrize("which", ["state", "replay"])
def test_a_damaged_checkpoint_is_refused_in_one_line_or_complete(resume, which):
    path = min(resume.glob(f"{which}*"))
    expected = restored(resume)
    content, rng, refused = path.read_bytes(), np.random.default_rng(3), 0
    for _ in range(DAMAGES):
        path.write_bytes(damaged(content, rng))
        try:
            found = restored(resume)
        except UserError as error:
            refused += 1
            assert str(error).startswith(f"{path}: damaged (")
            assert str(error).endswith("delete the folder 'checkpoints' to train from the start")
            assert len(str(error).splitlines()) == 1 and len(str(error)) < 400
        else:
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_array_equal(a, b)
    assert refused > DAMAGES / 3


def test_a_checkpoint_without_a_part_of_the_replay_buffer_is_refused(resume):
    min(resume.glob("replay-*")).unlink()
    with pytest.raises(UserError, match=r"resume: lacks a file of the replay buffer; delete"):
        train_toy(resume.parents[1], AGENTS["dqn"])


def test_a_checkpoint_of_a_later_version_is_refused(resume):
    state = read_values(resume / "state.npz")
    write_values(resume / "state.npz", {**state, "version": 99})
    with pytest.raises(UserError, match=r"state\.npz: of version 99, not 1; delete"):
        train_toy(resume.parents[1], AGENTS["dqn"])


@pytest.mark.parametrize("change", ["dtype", "rows", "environments", "weights"])
def test_parts_of_another_shape_are_refused(resume, change):
    state = read_values(resume / "state.npz")
    replay = min(resume.glob("replay-*"))
    with np.load(replay) as file:
        arrays = dict(file)
    if change == "dtype":
        arrays["rewards"] = arrays["rewards"].astype("U8")
    elif change == "rows":
        arrays["rewards"] = arrays["rewards"][:1]  # would be repeated
    elif change == "environments":
        state["environments"].pop()
    else:
        state["agent"]["weights"].popitem()
    np.savez(replay, **arrays)
    write_values(resume / "state.npz", state)
    with pytest.raises(UserError, match=r"\.npz: damaged \(.*delete the folder 'checkpoints'"):
        train_toy(resume.parents[1], AGENTS["dqn"])


def test_killed_after_its_end_a_training_is_finished(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "remove", lambda checkpoint: crash())
        with pytest.raises(KeyboardInterrupt):
            train_toy(tmp_path, AGENTS["dqn"])
    with pytest.raises(UserError, match="contains a finished training"):
        train_toy(tmp_path, AGENTS["dqn"])
    assert not (tmp_path / "checkpoints" / "resume").exists()


def test_a_finished_training_is_not_deleted(tmp_path):
    train_toy(tmp_path, AGENTS["dqn"])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=r"contains a finished training; delete its policy\.zip"):
        train_toy(tmp_path, AGENTS["dqn"])
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "policy.zip").unlink()
    train_toy(tmp_path, AGENTS["dqn"])


def test_killed_at_any_moment_the_curve_has_no_gap_and_no_duplicate(tmp_path, whole):
    expected = curve(whole("sac"))
    output = tmp_path / "killed"
    process = FORK.Process(target=train_toy_slowly, args=(output,))
    process.start()
    while not (output / "learning_curve.csv").exists() or len(curve(output)) < 10:
        assert process.is_alive()
        time.sleep(0.01)
    process.kill()
    process.join()
    actual = train_toy(output, AGENTS["sac"])
    pd.testing.assert_frame_equal(actual, expected, check_exact=True)


def test_the_exit_status_asks_for_a_requeue():
    assert Interrupted().code == REQUEUE == os.EX_TEMPFAIL
