"""GPUs are dealt out by locks, so that no two commands share one."""

import os
import select
import subprocess
import sys

import pytest

from vlmrm.machine import gpus
from vlmrm.machine.gpus import has_nvidia_gpu, visible_gpus

HOLD = """
import os, sys
from vlmrm.machine.gpus import claim_gpus, hide_gpus
hide_gpus()
assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
print("claiming", file=sys.stderr, flush=True)
claim_gpus(int(sys.argv[1]))
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def apart(monkeypatch, tmp_path):
    """Locks of tests that run at the same time differ."""
    monkeypatch.setenv("SLURM_JOB_ID", tmp_path.name + str(os.getpid()))


@pytest.fixture
def command(tmp_path):
    """Starts a process that claims GPUs of two, and keeps them until it is told to end."""
    started = []

    def start(count: int = 1) -> subprocess.Popen:
        folder = tmp_path / str(len(started))  # a scheduler may give each job another one
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(count)],
            env={**os.environ, "VLMRM_GPUS": "0,3", "TMPDIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stderr.readline() == "claiming\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def is_waiting(process) -> bool:
    """Whether a process has no GPU a moment after it claimed one."""
    return not select.select([process.stdout], [], [], 1)[0]


def test_each_command_has_a_gpu_and_the_third_waits_for_one(command):
    first, second = command(), command()
    assert {first.stdout.readline(), second.stdout.readline()} == {"0\n", "3\n"}
    third = command()
    assert is_waiting(third)
    second.kill()  # whatever happens to it
    assert third.stdout.readline() in ("0\n", "3\n")
    assert first.poll() is None


def test_a_command_takes_several_at_once_or_none(command):
    assert command().stdout.readline() in ("0\n", "3\n")
    assert is_waiting(command(2))
    # The one that waits for two keeps none meanwhile.
    assert command().stdout.readline() in ("0\n", "3\n")


def test_two_commands_that_each_want_all_follow_one_another(command):
    waiting = [command(5), command(5)]
    readable, _, _ = select.select([process.stdout for process in waiting], [], [], 600)
    (first,) = [process for process in waiting if process.stdout in readable]
    (second,) = [process for process in waiting if process is not first]
    assert first.stdout.readline() == "0,3\n"
    first.kill()
    assert second.stdout.readline() == "0,3\n"


def test_none_are_used_where_none_are_asked_for(command):
    assert command(0).stdout.readline() == "\n"


def test_a_container_may_have_any_gpu(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "NVIDIA_DEVICES", (tmp_path, "nvidia[0-9]*"))
    (tmp_path / "nvidiactl").touch()
    assert not gpus.has_nvidia_gpu()
    (tmp_path / "nvidia3").touch()
    assert gpus.has_nvidia_gpu()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not gpus.has_nvidia_gpu()


@pytest.mark.parametrize(
    ("chosen", "gpus"),
    [
        ("0,2", ["0", "2"]),
        (" 1 , 0 ", ["1", "0"]),
        ("GPU-5ebe-11,MIG-GPU-5ebe/1/0", ["GPU-5ebe-11", "MIG-GPU-5ebe/1/0"]),
        ("0,0,1", ["0", "1"]),
        ("1,-1,0", ["1"]),
        ("1,,0", ["1"]),
        *((hidden, []) for hidden in ("", " ", "-1", "none", "NoDevFiles", "all", "0;1", "cuda:0")),
    ],
)
def test_gpus_are_chosen_as_cuda_does(monkeypatch, tmp_path, chosen, gpus):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert visible_gpus() == gpus
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr("vlmrm.machine.gpus.NVIDIA_DEVICES", (tmp_path, "nvidia[0-9]*"))
    assert has_nvidia_gpu() == bool(gpus)


def test_nothing_changes_without_a_list(monkeypatch):
    monkeypatch.delenv("VLMRM_GPUS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    gpus.hide_gpus()
    gpus.claim_gpus()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"


def test_jobs_of_a_scheduler_share_no_locks(monkeypatch, tmp_path):
    """Each may number its own GPUs from 0."""
    for job in (f"{tmp_path.name}-7", f"{tmp_path.name}-8"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        locks = gpus._lock(["0"], 1)
        assert list(locks) == ["0"]
        monkeypatch.setattr(gpus, "_held", [*gpus._held, *locks.values()])
    assert gpus._lock(["0"], 1) == {}
