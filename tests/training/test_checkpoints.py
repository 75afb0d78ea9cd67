import functools
import os
import time

import numpy as np
import pandas as pd
import pytest
import torch

from tests.processes import FORK
from tests.training.toy import AGENTS, reward_of_frames
from tests.training.toy_training import at_call, crash, curve, policy_weights, terminate, train_toy
from vlmrm.errors import UserError
from vlmrm.training import checkpoints
from vlmrm.training.run import REQUEUE, Interrupted


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Trains an agent without interruption, once; returns the folder."""

    @functools.cache
    def train(name):
        output = tmp_path_factory.mktemp(name)
        train_toy(output, AGENTS[name])
        return output

    return train


def train_toy_slowly(output):
    """So that it can be stopped in the middle."""

    def slow(frames):
        time.sleep(0.005)
        return reward_of_frames(frames)

    torch.set_num_threads(1)
    train_toy(output, AGENTS["sac"], slow, workers=1)


@pytest.mark.parametrize(
    ("name", "stop"),
    [
        ("dqn", terminate),
        ("sac", terminate),
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
    if name == "dqn":
        for policy in ("policy.zip", "best.zip"):
            a, b = (policy_weights(folder / policy) for folder in (output, whole(name)))
            assert all(np.array_equal(a[k], b[k]) for k in b)


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


def test_the_checkpoint_keeps_no_more_than_the_replay_buffer(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path, AGENTS["dqn"], at_call(70, crash))
    files = sorted((tmp_path / "checkpoints" / "resume").glob("replay-*"))
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


@pytest.mark.parametrize(
    "damage", ["lacks a file", "cut file", "other byte", "cut state", "no state"]
)
def test_a_damaged_checkpoint_is_named_and_not_continued(tmp_path, damage):
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path, AGENTS["dqn"], at_call(70, crash))
    folder = tmp_path / "checkpoints" / "resume"
    state, first = folder / "state.pkl", min(folder.glob("replay-*"))
    content = first.read_bytes()
    if damage == "lacks a file":
        first.unlink()
    elif damage == "cut file":
        first.write_bytes(content[:-100])
    elif damage == "other byte":
        # In the middle of an array.
        first.write_bytes(content[:300] + bytes([content[300] ^ 1]) + content[301:])
    else:
        state.write_bytes(state.read_bytes()[: 1000 if damage == "cut state" else 0])
    with pytest.raises(UserError, match=r"damaged or incomplete.*delete the folder 'checkpoints'"):
        train_toy(tmp_path, AGENTS["dqn"])


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
