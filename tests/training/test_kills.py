"""Trainings that are killed again and again end as if nothing had happened.

``VLMRM_KILLS=100`` is the number of kills. A training is killed up to three times, at a random
moment or before a random file operation.
"""

import functools
import multiprocessing
import os
import signal
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch

from tests.processes import FORK
from tests.training.toy import AGENTS, reward_of_frames
from tests.training.toy_training import curve, logged_steps, train_toy, weights_of
from vlmrm.data.values import read_values
from vlmrm.errors import UserError

KILLS = int(os.environ.get("VLMRM_KILLS", "2"))
SEED = 0
TOTAL = 600
CHANGES = {"total_timesteps": TOTAL}
OPERATIONS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}
ENDS_WITHIN = 60
"""Seconds in which workers notice that their main process has ended, on a busy machine too."""


def train_until(output, name, workers, operation, frames, operations):
    """Trains, and is killed before a file operation.

    ``frames`` and ``operations`` count what it has done.
    """
    os.setsid()
    torch.set_num_threads(1)

    def watch(event, arguments):
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in OPERATIONS:
            if operations.value == operation:
                os.kill(os.getpid(), signal.SIGKILL)
            operations.value += 1

    def reward(pictures):
        frames.value += len(pictures)
        return reward_of_frames(pictures)

    sys.addaudithook(watch)
    train_toy(output, AGENTS[name].model_copy(update=CHANGES), reward, workers=workers)


class Attempt:
    """A process that trains."""

    def __init__(self, output, name, workers=0, operation=None):
        self.frames, self.operations = (multiprocessing.RawValue("q", 0) for _ in range(2))
        counts = (self.frames, self.operations)
        arguments = (output, name, workers, operation, *counts)
        self.process = FORK.Process(target=train_until, args=arguments)
        self.started = time.perf_counter()
        self.process.start()

    def join(self):
        self.process.join()
        self.seconds = time.perf_counter() - self.started
        return self.process.exitcode


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted training: its folder and attempt."""

    @functools.cache
    def train(name):
        output = tmp_path_factory.mktemp(name)
        attempt = Attempt(output, name)
        assert attempt.join() == 0
        assert attempt.frames.value == TOTAL
        return output, attempt

    return train


def results(output):
    """Names of files but for those of TensorBoard and the leftovers of killed writes."""
    paths = {path.relative_to(output) for path in output.rglob("*") if path.is_file()}
    return {p for p in paths if not any(x == "tensorboard" or x[0] == "." for x in p.parts)}


def finished_steps(output):
    """Steps of the latest checkpoint."""
    state = output / "checkpoints" / "resume" / "state.npz"
    return read_values(state)["agent"]["counters"]["num_timesteps"] if state.exists() else 0


@pytest.mark.slow
def test_killed_trainings_end_as_if_nothing_had_happened(tmp_path, whole):
    rng = np.random.default_rng(SEED)
    kills = {"moment": 0, "file operation": 0}
    resumed = number = 0
    while sum(kills.values()) < KILLS:
        name, number = list(AGENTS)[number % len(AGENTS)], number + 1
        complete, reference = whole(name)
        output = tmp_path / str(number)
        output.mkdir()
        groups = []
        for _ in range(rng.integers(1, 4)):
            if rng.random() < 0.5:
                attempt = Attempt(output, name, int(rng.integers(2)))
                attempt.process.join(rng.uniform(0, 1.2 * reference.seconds))
                attempt.process.kill()
                kind = "moment"
            else:
                operation = int(rng.integers(reference.operations.value))
                attempt = Attempt(output, name, int(rng.integers(2)), operation)
                kind = "file operation"
            # The next one starts at once, beside workers that have not noticed yet.
            killed = attempt.join() == -signal.SIGKILL
            kills[kind] += killed
            groups.append(attempt.process.pid)
            if (output / "policy.zip").exists():
                break
        done = finished_steps(output)
        if not (output / "policy.zip").exists():
            resumed += done > 0
            kept = {p: p.stat().st_mtime_ns for p in (output / "checkpoints").glob("0*.zip")}
            attempt = Attempt(output, name)
            assert attempt.join() == 0
            assert attempt.frames.value == TOTAL - done, "no step is computed again"
            for path, changed in kept.items():
                if int(path.stem) <= done:
                    assert path.stat().st_mtime_ns == changed, "no policy is computed again"
        with pytest.raises(UserError, match="contains a finished training"):
            train_toy(output, AGENTS[name])
        compare(output, complete)
        for group in groups:
            wait_for_end(group)
    print(f"\n{kills}, {number} trainings, {resumed} resumed from a checkpoint at their last start")


def compare(output, complete):
    pd.testing.assert_frame_equal(curve(output), curve(complete), check_exact=True)
    assert results(output) == results(complete)
    for path in results(complete):
        if path.suffix == ".zip":
            found, expected = weights_of(output / path), weights_of(complete / path)
            assert all(torch.equal(found[key], expected[key]) for key in expected), path
    assert logged_steps(output) == logged_steps(complete)


def wait_for_end(group):
    """No process outlives a killed training."""
    end = time.monotonic() + ENDS_WITHIN
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"processes of group {group} are still there")
