import os
import signal
import time

import numpy as np
import pandas as pd
import pytest
import torch
from stable_baselines3 import DQN as StableDQN

from tests.processes import CONTEXT
from tests.training.toy import AGENTS, Printer, reward_of_frames, slider
from vlmrm.config import PaperCode, TrainingRun
from vlmrm.errors import UserError
from vlmrm.rewards.sources import FrameReward
from vlmrm.tasks.oracles import Oracle
from vlmrm.training import checkpoints
from vlmrm.training.deferred import RING_CALLS, steps_per_call
from vlmrm.training.trainer import REQUEUE, Interrupted, Trainer
from vlmrm.training.vec_env.vector_env import VectorEnv

RUN = TrainingRun(task="toy", scene="none", reward_source="frames", alpha=0, seed=1)
NEAR_ZERO = Oracle("cartpole", lambda states: np.abs(states[:, 0]) < 0.5)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def train_toy(output, agent, reward=reward_of_frames, run=RUN, workers=0, **settings):
    source = FrameReward(reward, frames_per_call=6)
    env = VectorEnv(
        slider(discrete=agent.algorithm == "dqn"),
        agent.n_envs,
        Printer,
        workers,
        RING_CALLS * steps_per_call(source, agent.n_envs, agent.train_freq),
    )
    try:
        Trainer(run, agent, env, source, NEAR_ZERO, output, "cpu", **settings).run()
    finally:
        env.close()
    return curve(output)


def train_toy_slowly(output):
    """So that it can be stopped in the middle."""

    def slow(frames):
        time.sleep(0.005)
        return reward_of_frames(frames)

    torch.set_num_threads(1)
    train_toy(output, AGENTS["sac"], slow, workers=1)


def curve(output):
    table = pd.read_csv(output / "learning_curve.csv")
    return table.drop(columns=["wall_seconds", "frames_per_second"])


def at_call(number, action):
    """The toy's reward, but something happens at a call, once."""
    calls = 0

    def reward(frames):
        nonlocal calls
        calls += 1
        if calls == number:
            action()
        return reward_of_frames(frames)

    return reward


def crash():
    raise KeyboardInterrupt("power cut")


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def policy_weights(path):
    return {k: v.numpy() for k, v in StableDQN.load(path, device="cpu").policy.state_dict().items()}


@pytest.mark.parametrize("name", AGENTS)
def test_the_same_seed_gives_the_same_curve(tmp_path, name):
    first = train_toy(tmp_path / "1", AGENTS[name])
    second = train_toy(tmp_path / "2", AGENTS[name], workers=2 if name == "sac" else 0)
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    other = train_toy(tmp_path / "3", AGENTS[name], run=RUN.model_copy(update={"seed": 2}))
    assert not first["training_reward"].equals(other["training_reward"])


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


def test_the_best_policy_is_that_of_the_best_checkpoint(tmp_path):
    def reward(frames):
        nonlocal seen
        seen += len(frames)
        return np.full(len(frames), 1.0 if 100 < seen <= 180 else 0.0)

    seen = 0
    train_toy(tmp_path, AGENTS["dqn"], reward)
    best = policy_weights(tmp_path / "best.zip")
    at_180 = policy_weights(tmp_path / "checkpoints" / "000000180.zip")
    final = policy_weights(tmp_path / "policy.zip")
    assert all(np.array_equal(best[k], at_180[k]) for k in best)
    assert not all(np.array_equal(best[k], final[k]) for k in best)


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
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(tmp_path, name, stop):
    expected = train_toy(tmp_path / "whole", AGENTS[name])
    output = tmp_path / "interrupted"
    rounds = []
    for call in (17, 31, 14, 3):
        with pytest.raises((Interrupted, KeyboardInterrupt)):
            train_toy(output, AGENTS[name], at_call(call, stop))
        rounds.append(len(curve(output)))
        (output / "best.zip").unlink(missing_ok=True)  # as Snakemake does with a job's outputs
    actual = train_toy(output, AGENTS[name])
    assert rounds[-1] > rounds[0] > 0
    pd.testing.assert_frame_equal(actual, expected, check_exact=True)
    assert not (output / "checkpoints" / "resume").exists()
    if name == "dqn":
        for policy in ("policy.zip", "best.zip"):
            a, b = (policy_weights(folder / policy) for folder in (output, tmp_path / "whole"))
            assert all(np.array_equal(a[k], b[k]) for k in b)


def test_a_crash_while_a_checkpoint_is_written_loses_nothing_else(tmp_path, monkeypatch):
    expected = train_toy(tmp_path / "whole", AGENTS["dqn"])
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


def test_time_goes_on_after_an_interruption(tmp_path):
    with pytest.raises(Interrupted):
        train_toy(tmp_path, AGENTS["dqn"], at_call(50, terminate))
    train_toy(tmp_path, AGENTS["dqn"])
    seconds = pd.read_csv(tmp_path / "learning_curve.csv")["wall_seconds"]
    assert seconds.is_monotonic_increasing


def test_time_limits_bootstrap_unless_the_original_is_asked_for(tmp_path):
    """At the end of an episode the value of the next state counts, or is taken for 0."""
    for name, original in (
        ("right", PaperCode()),
        ("wrong", PaperCode(time_limits_terminate=True)),
    ):
        train_toy(tmp_path / name, AGENTS["dqn"], paper_code=original)
    right, wrong = (curve(tmp_path / name) for name in ("right", "wrong"))
    assert not np.allclose(right["loss"].iloc[-3:], wrong["loss"].iloc[-3:])


def test_the_latest_episode_is_filmed_at_every_checkpoint(tmp_path):
    filmed = {}
    train_toy(tmp_path, AGENTS["dqn"], camera=lambda path, states: filmed.update({path: states}))
    names = [path.stem for path in filmed]
    assert names == sorted(p.stem for p in (tmp_path / "checkpoints").glob("*.zip"))[: len(names)]
    assert len(names) >= 5
    for path, states in filmed.items():
        assert path.parent == tmp_path / "videos"
        (episode,) = states
        np.testing.assert_array_equal(episode[:, 1], np.arange(1, 8))  # whole, and of one piece
        assert len(np.unique(episode[:, 2])) == 1


def test_what_comes_after_a_training_computes_as_before(tmp_path):
    train_toy(tmp_path, AGENTS["dqn"])
    assert torch.tensor(1e-310, dtype=torch.float64) * 1 > 0  # subnormal


def test_other_settings_do_not_continue_a_checkpoint(tmp_path):
    with pytest.raises(Interrupted):
        train_toy(tmp_path, AGENTS["dqn"], at_call(50, terminate))
    changed = AGENTS["dqn"].model_copy(update={"gamma": 0.5})
    with pytest.raises(UserError, match=r"agent\.gamma was 0\.99, now 0\.5"):
        train_toy(tmp_path, changed)


def test_killed_at_any_moment_the_curve_has_no_gap_and_no_duplicate(tmp_path):
    expected = train_toy(tmp_path / "whole", AGENTS["sac"])
    output = tmp_path / "killed"
    process = CONTEXT.Process(target=train_toy_slowly, args=(output,))
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
