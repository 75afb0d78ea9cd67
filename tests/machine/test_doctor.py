import importlib.metadata
import os
import shutil
import sys
from collections import namedtuple

import pytest
import torch
import typer

from tests.processes import vlmrm
from vlmrm.cli.doctor import doctor as command
from vlmrm.machine import doctor
from vlmrm.machine.doctor import Check, Verdict

Usage = namedtuple("Usage", "total used free")
GPU = "NVIDIA H200, 550.54"
LLVMPIPE = "llvmpipe (LLVM 15.0.6, 256 bits)"


@pytest.fixture
def machine(monkeypatch):
    """Sets what the commands of the checks would find: their answer, or a failure's last line."""
    answers = {"nvidia-smi": (False, "No such file or directory")}

    def run(command, *_, **__):
        return answers[command[0] if command[0] in answers else command[3]]

    monkeypatch.setattr(doctor, "_run", run)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    for name in ("HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return answers


def test_torch_without_gpu_is_fine(machine):
    check = doctor.check_torch()
    assert check.verdict is Verdict.fine
    assert check.message.endswith("threads, no GPU: CPU only")


def test_torch_with_a_gpu_names_it_and_its_driver(machine, monkeypatch):
    machine["nvidia-smi"] = (True, GPU)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H200")
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_90", "compute_90"])
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    assert "2 x NVIDIA H200, CUDA" in doctor.check_torch().message
    assert doctor.check_torch().message.endswith("driver 550.54")


@pytest.mark.parametrize(
    ("built_for", "cuda", "version"),
    [(["gfx90a", "gfx1100"], None, "ROCm 6.4"), (["sm_90a"], "13.2", "CUDA 13.2")],
    ids=["ROCm", "one architecture"],
)
def test_other_builds_of_torch_are_named(machine, monkeypatch, built_for, cuda, version):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "a GPU")
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: built_for)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.version, "hip", "6.4")
    assert doctor.check_torch().message.endswith(f"1 x a GPU, {version}")


def test_a_gpu_older_than_torch_is_reported(machine, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla V100")
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_90"])
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 0))
    check = doctor.check_torch()
    assert check.verdict is Verdict.broken
    assert (
        "Tesla V100 is too old for this PyTorch: hide it by CUDA_VISIBLE_DEVICES" in check.message
    )


def test_a_gpu_that_torch_cannot_use_is_noted(machine, monkeypatch):
    machine["nvidia-smi"] = (True, GPU)
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    assert doctor.check_torch().message.endswith("update the driver, to one for CUDA 13.2")
    monkeypatch.setattr(torch.version, "cuda", None)
    check = doctor.check_torch()
    assert check.verdict is Verdict.note
    assert check.message.endswith("PyTorch cannot use it: it was built without CUDA")


@pytest.mark.parametrize(
    ("rendered", "gpu", "verdict", "message"),
    [
        (
            (True, "hardware: NVIDIA H200/PCIe/SSE2"),
            True,
            Verdict.fine,
            "EGL, hardware: NVIDIA H200",
        ),
        ((True, f"software: {LLVMPIPE}"), False, Verdict.fine, f"EGL, in software: {LLVMPIPE}"),
        (
            (True, f"software: {LLVMPIPE}"),
            True,
            Verdict.note,
            "although there is an NVIDIA GPU; install",
        ),
        ((False, "MUJOCO_GL: OpenGL cannot start"), False, Verdict.broken, "cannot start"),
    ],
)
def test_rendering(machine, rendered, gpu, verdict, message):
    machine["rendering"] = rendered
    if gpu:
        machine["nvidia-smi"] = (True, GPU)
    check = doctor.check_rendering()
    assert check.verdict is verdict
    assert message in check.message


def test_the_scene_of_vulkan_is_optional(machine):
    machine["vulkan"] = (False, "scene: filament needs Vulkan")
    assert doctor.check_vulkan().verdict is Verdict.note
    machine["vulkan"] = (True, f"software: {LLVMPIPE}")
    message = f"the scene filament can be rendered, in software: {LLVMPIPE}"
    assert doctor.check_vulkan() == Check("Vulkan", Verdict.fine, message)


def test_vulkan_in_software_beside_a_gpu_is_noted(machine):
    machine["nvidia-smi"] = (True, GPU)
    machine["vulkan"] = (True, "hardware: NVIDIA H200")
    assert doctor.check_vulkan().verdict is Verdict.fine
    machine["vulkan"] = (True, f"software: {LLVMPIPE}")
    check = doctor.check_vulkan()
    assert check.verdict is Verdict.note
    assert "in containers start with --runtime=nvidia" in check.message


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(62e9, Verdict.fine), (5e9, Verdict.note), (0.2e9, Verdict.broken)],
)
def test_disk(monkeypatch, tmp_path, free, verdict):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1e12, 0, free))
    check = doctor.check_disk()
    assert check.verdict is verdict
    assert f"GB free in {tmp_path}" in check.message


def test_a_hub_out_of_reach_is_no_harm(machine, monkeypatch):
    machine["hub"] = (False, "timed out")
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert str(doctor.check_hub()) == (
        "Hub         note: https://mirror.example not reachable (timed out): "
        "published models cannot be downloaded; simulator-trained ones work"
    )
    machine["hub"] = (True, "no output")
    assert doctor.check_hub().message.endswith("HF_TOKEN is not set, gated models need it")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert doctor.check_hub().message == "https://mirror.example answers; HF_TOKEN is set"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert doctor.check_hub().verdict is Verdict.note


def test_slurm(machine, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert doctor.check_slurm().message == "no sbatch; jobs run on this machine"
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/sbatch")
    machine["sinfo"] = (True, "main* up infinite 1 idle node")
    message = "/usr/bin/sbatch, and a controller answers"
    assert doctor.check_slurm() == Check("SLURM", Verdict.fine, message)


def test_slurm_that_cannot_take_jobs_is_noted(machine, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/sbatch")
    machine["sinfo"] = (False, "no answer within 10 seconds")
    assert str(doctor.check_slurm()) == (
        "SLURM       note: sbatch is here, but no controller answers (no answer within 10 "
        "seconds); jobs run on this machine"
    )

    def lacking(name):
        raise importlib.metadata.PackageNotFoundError(name)

    machine["sinfo"] = (True, "main* up infinite 1 idle node")
    monkeypatch.setattr(importlib.metadata, "version", lacking)
    check = doctor.check_slurm()
    assert check.verdict is Verdict.note
    assert check.message.endswith("`pip install '.[slurm]'` in the project's folder")


def test_the_status_is_1_only_where_runs_would_fail(monkeypatch, capsys):
    checks = [Check("A", Verdict.fine, "1"), Check("B", Verdict.note, "less")]
    monkeypatch.setattr("vlmrm.cli.doctor.examine", lambda: checks)
    command()
    assert capsys.readouterr().out == "A           fine: 1\nB           note: less\n"
    checks.append(Check("C", Verdict.broken, "install it"))
    with pytest.raises(typer.Exit) as caught:
        command()
    assert caught.value.exit_code == 1


def test_a_probe_that_hangs_or_crashes_is_ended():
    python = sys.executable
    hang = doctor._run([python, "-c", "import time; time.sleep(60)"], timeout=1)
    assert hang == (False, "no answer within 1 seconds")
    crash = "import os, sys; sys.stderr.write('last word\\n'); sys.stderr.flush(); os.abort()"
    assert doctor._run([python, "-c", crash], timeout=300) == (False, "ended by signal 6")
    assert doctor._run(["absent-command"], timeout=1)[0] is False


def test_every_check_has_an_answer_on_this_machine():
    nowhere = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    run = vlmrm("doctor", env=nowhere)
    assert run.returncode == 0, run.stdout
    names = [line.split()[0] for line in run.stdout.splitlines()]
    assert names == [
        "Python",
        "PyTorch",
        "Rendering",
        "Vulkan",
        "Disk",
        "Hub",
        "Tokenizers",
        "SLURM",
    ]
