import copy
import errno
import fcntl
import itertools
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from gymnasium.wrappers import TimeLimit

from tests.training.toy import AGENTS, COMMON, Slider, reward_of_frames, slider
from tests.training.toy_training import RUN, at_call, crash, curve, terminate, train_toy, weights_of
from vlmrm.config import PaperCode, TrainingRun, parse_config
from vlmrm.errors import UserError
from vlmrm.rewards.steps import EnvironmentReward, FrameReward
from vlmrm.rewards.vlm import VLMReward
from vlmrm.training.evaluation import evaluate
from vlmrm.training.run import Interrupted, _new_agent, learn, train
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

CONFIG = {
    "run": "test",
    "scorings": ["alpha-0"],
    "models": {},
    "tasks": {
        "cartpole": {"environment": "cartpole", "goal": "a pole", "oracle": "cartpole"},
        "mountain-car": {"environment": "mountain-car", "goal": "a car"},
    },
    "training": {
        "cartpole": {"agent": {"algorithm": "dqn", **COMMON, "n_envs": 1}},
        "mountain-car": {"agent": {"algorithm": "sac", **COMMON, "use_sde": True}},
    },
}


def settings(task, scene, source):
    run = TrainingRun(task=task, scene=scene, reward_source=source, scoring="alpha-0", seed=0)
    return parse_config(CONFIG).training_settings(run)


def test_trains_by_the_configuration(tmp_path):
    by_itself = settings("cartpole", "gymnasium", "ground-truth")
    train(by_itself, EnvironmentReward(), tmp_path, device="cpu")
    table = curve(tmp_path)
    pd.testing.assert_series_equal(
        table["training_reward"], table["ground_truth"], check_names=False
    )
    assert table["oracle"].notna().all()


def test_draws_the_scene_of_the_run(tmp_path):
    shapes = set()

    def reward(frames):
        shapes.add(frames.shape[1:])
        return frames.mean(axis=(1, 2, 3))

    by_frames = settings("mountain-car", "textured", "sim")
    train(by_frames, FrameReward(reward), tmp_path, workers=1, device="cpu")
    assert shapes == {(400, 600, 3)}
    table = curve(tmp_path)
    assert table["oracle"].isna().all()
    assert not (tmp_path / "best-oracle.zip").exists()


class Stopping(FrameReward):
    """Stops the training when it is asked a second time."""

    def __init__(self):
        super().__init__(lambda frames: frames.mean(axis=(1, 2, 3)))
        self.calls = 0

    def __call__(self, steps):
        self.calls += 1
        if self.calls == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().__call__(steps)


def test_a_training_goes_on_with_the_reward_that_it_began_with(tmp_path):
    content = copy.deepcopy(CONFIG)

    def go_on(**checksums):
        run = TrainingRun(task="mountain-car", scene="textured", reward_source="sim", seed=0)
        by_frames = parse_config(content).training_settings(run)
        train(by_frames, Stopping(), tmp_path, 1, "cpu", {"weights of sim": "1", **checksums})

    with pytest.raises(Interrupted):
        go_on()
    content["tasks"]["mountain-car"]["goal"] = "a train"
    with pytest.raises(UserError, match=r"goals was \['a car'\], now \['a train'\]"):
        go_on()
    content["tasks"]["mountain-car"]["goal"] = "a car"
    content["precision"] = "bfloat16"
    with pytest.raises(UserError, match=r"reward\.embedding\.precision was auto, now bfloat16"):
        go_on()
    content["precision"] = "auto"
    with pytest.raises(UserError, match=r"checksums\.weights of sim was 1, now 2"):
        go_on(**{"weights of sim": "2"})
    # Neither changes what an agent learns.
    content["evaluation"] = {"video_size": 64, "trajectories": 3}
    with pytest.raises(Interrupted):
        go_on()


@pytest.mark.gpu
def test_an_agent_of_a_gpu_learns_from_frames_and_acts_without(tmp_path, model_folder):
    source = FrameReward(VLMReward.load(model_folder, "a car", device="cuda"))
    train(settings("mountain-car", "textured", "sim"), source, tmp_path, workers=1)
    assert curve(tmp_path)["training_reward"].between(-1, 1).all()
    judged = parse_config(CONFIG).random_evaluation_settings("mountain-car")
    table, _ = evaluate(tmp_path / "policy.zip", judged)
    assert len(table) == parse_config(CONFIG).evaluation.trajectories


@pytest.mark.parametrize("name", AGENTS)
def test_the_same_seed_gives_the_same_curve(tmp_path, name):
    first = train_toy(tmp_path / "1", AGENTS[name])
    second = train_toy(tmp_path / "2", AGENTS[name], workers=2 if name == "sac" else 0)
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    other = train_toy(tmp_path / "3", AGENTS[name], run=RUN.model_copy(update={"seed": 2}))
    assert not first["training_reward"].equals(other["training_reward"])


def test_a_replay_buffer_that_cannot_be_allocated_is_named(tmp_path):
    agent = AGENTS["dqn"].model_copy(update={"buffer_size": 10**15})
    with pytest.raises(UserError, match=r"^buffer_size: Unable to allocate .*; choose a smaller"):
        train_toy(tmp_path, agent)


def test_the_switch_for_time_limits_reaches_a_training(tmp_path):
    for name, original in (
        ("right", PaperCode()),
        ("wrong", PaperCode(time_limits_terminate=True)),
    ):
        train_toy(tmp_path / name, AGENTS["dqn"], paper_code=original)
    right, wrong = (curve(tmp_path / name) for name in ("right", "wrong"))
    assert not np.allclose(right["loss"].iloc[-3:], wrong["loss"].iloc[-3:])


def test_what_comes_after_a_training_computes_as_before(tmp_path):
    train_toy(tmp_path, AGENTS["dqn"])
    assert torch.tensor(1e-310, dtype=torch.float64) * 1 > 0  # subnormal


def lost(value, after):
    """The toy's reward, which becomes another value after some calls."""
    calls = itertools.count()
    return lambda frames: (
        reward_of_frames(frames) if next(calls) < after else value + 0 * frames[:, 0, 0, 0]
    )


@pytest.mark.parametrize(
    ("name", "changes", "reward", "message"),
    [
        ("dqn", {"learning_rate": 1e30}, reward_of_frames, "the training diverged after 45 steps"),
        ("sac", {"learning_rate": 1e30}, reward_of_frames, "the training diverged after 45 steps"),
        ("gsde", {}, lost(3e38, 30), "the training diverged after"),
        ("tuned", {}, lost(np.nan, 30), "the reward is not finite in 6 of 6 steps"),
        ("dqn", {}, lost(-np.inf, 30), "the reward is not finite in 6 of 6 steps"),
    ],
)
def test_a_training_that_diverges_ends_and_leaves_no_broken_policy(
    tmp_path, name, changes, reward, message
):
    with pytest.raises(UserError, match=message):
        train_toy(tmp_path, AGENTS[name].model_copy(update=changes), reward)
    assert not (tmp_path / "policy.zip").exists()
    for policy in tmp_path.rglob("*.zip"):
        assert all(tensor.isfinite().all() for tensor in weights_of(policy).values())


def test_an_observation_that_is_not_finite_ends_a_training(tmp_path):
    class Lost(Slider):
        def _observation(self):
            return super()._observation() / (self.episode != 3)

    env = VectorEnv(EnvSpec(lambda: TimeLimit(Lost(), 7), 3), workers=0)
    with np.errstate(all="ignore"), pytest.raises(UserError, match="an observation is not finite"):
        learn(RUN, AGENTS["dqn"], env, EnvironmentReward(), None, tmp_path, "cpu")


@pytest.mark.parametrize("name", ["dqn", "sac"])
def test_a_last_observation_that_is_not_finite_ends_a_training(tmp_path, name):
    class Exploding(Slider):
        def _observation(self):
            return super()._observation() / (self.episode != 3 or self.steps != 5)

        def step(self, action):
            observation, reward, _, truncated, info = super().step(action)
            return observation, reward, not np.isfinite(observation).all(), truncated, info

    spec = EnvSpec(lambda: TimeLimit(Exploding(discrete=name == "dqn"), 7), 3)
    env = VectorEnv(spec, workers=0)
    with np.errstate(all="ignore"), pytest.raises(UserError, match="an observation is not finite"):
        learn(RUN, AGENTS[name], env, EnvironmentReward(), None, tmp_path, "cpu")


def test_files_of_somebody_else_stay(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "holiday.mp4").touch()
    with pytest.raises(UserError, match="videos: was written by no training; give another folder"):
        train(settings("cartpole", "gymnasium", "oracle"), EnvironmentReward(), tmp_path)
    assert [path.name for path in tmp_path.rglob("*.*")] == ["holiday.mp4"]


@pytest.mark.parametrize("pattern", ["replay-*.npz", "best.zip"])
def test_what_an_earlier_training_left_and_cannot_be_deleted_is_named(
    tmp_path, monkeypatch, pattern
):
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path, AGENTS["dqn"], at_call(70, crash))
    (tmp_path / "checkpoints" / "resume" / "state.npz").unlink()
    kept = min(tmp_path.rglob(pattern))
    unlink = os.unlink

    def refusing(path, *arguments, **options):
        if Path(path).name in (kept.name, ".nfs01"):
            raise PermissionError(errno.EPERM, "not permitted", str(path))
        unlink(path, *arguments, **options)

    monkeypatch.setattr(os, "unlink", refusing)
    with pytest.raises(
        UserError, match=f"{kept.name}: belongs to an earlier training and cannot be deleted"
    ):
        train_toy(tmp_path, AGENTS["dqn"])
    # A network disk renames what somebody reads.
    kept.rename(kept.with_name(".nfs01"))
    train_toy(tmp_path, AGENTS["dqn"])


def test_a_folder_on_another_disk_is_emptied_and_stays_there(tmp_path):
    disk, output = tmp_path / "disk", tmp_path / "agent"
    with pytest.raises(KeyboardInterrupt):
        train_toy(output, AGENTS["dqn"], at_call(70, crash))
    (output / "checkpoints").rename(disk)
    (output / "checkpoints").symlink_to(disk)
    (disk / "resume" / "state.npz").unlink()
    (disk / "000000999.zip").touch()
    train_toy(output, AGENTS["dqn"])
    assert (output / "checkpoints").is_symlink()
    assert "000000360.zip" in {path.name for path in disk.iterdir()}
    assert not (disk / "000000999.zip").exists()


def test_a_second_training_in_a_folder_is_refused(tmp_path):
    def begin_again():
        with pytest.raises(UserError, match="another process is writing there"):
            train_toy(tmp_path, AGENTS["dqn"])

    table = train_toy(tmp_path, AGENTS["dqn"], at_call(20, begin_again))
    assert list(table["steps"]) == list(range(15, 361, 15))


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
def test_a_training_goes_on_where_the_file_system_has_no_locks(tmp_path, monkeypatch, number):
    def no_locks(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(Interrupted):
        train_toy(tmp_path, AGENTS["dqn"], at_call(40, terminate))
    (tmp_path / "learning_curve.csv").unlink()  # by Snakemake
    table = train_toy(tmp_path, AGENTS["dqn"])
    assert list(table["steps"]) == list(range(15, 361, 15))


@pytest.mark.parametrize("name", ["dqn", "tuned"])
def test_time_limits_bootstrap_unless_the_original_is_asked_for(name):
    """At the end of an episode the value of the next state counts, or is taken for 0."""
    agent = AGENTS[name]
    env = VectorEnv(EnvSpec(slider(discrete=name == "dqn"), 3), workers=0)
    for switch in (False, True):
        paper_code = PaperCode(time_limits_terminate=switch)
        buffer = _new_agent(agent, env, 0, "cpu", paper_code).replay_buffer
        assert buffer.handle_timeout_termination != switch
        if name == "tuned":  # the rest stays as configured
            assert (buffer.n_steps, buffer.gamma) == (agent.n_steps, agent.gamma)
