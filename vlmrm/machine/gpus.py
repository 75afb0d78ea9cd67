"""GPUs of this machine, and locks by which several commands share them.

Where the environment variable VLMRM_GPUS lists GPUs ("0,1,2,3", as nvidia-smi numbers them), a
command sees none of them until it claims some. The workflow sets it on machines with several.
Commands that need no GPU see none anywhere.
"""

from __future__ import annotations

import errno
import itertools
import logging
import os
import random
import re
import socket
import subprocess
import time
from pathlib import Path

from vlmrm.errors import UserError, one_line

LOGGER = logging.getLogger("vlmrm")

NVIDIA_DEVICES = (Path("/dev"), "nvidia[0-9]*")
"""Where the driver shows its GPUs: a container may have any of them, not just the first."""

GPU = re.compile(r"\d+|(GPU|MIG)-[\w/-]+")
"""A GPU in CUDA_VISIBLE_DEVICES: its number, or an identifier."""

_held: list[socket.socket] = []
"""Locks go with the process, however it ends."""


def visible_gpus() -> list[str]:
    """The NVIDIA GPUs that this process may use, as CUDA_VISIBLE_DEVICES writes them.

    Like CUDA, it takes those before the first that can be none: -1 and NoDevFiles hide all.
    """
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        gpus = map(str.strip, chosen.split(","))
        return list(dict.fromkeys(itertools.takewhile(GPU.fullmatch, gpus)))
    query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return answer.stdout.split() if answer.returncode == 0 else []


def hide_gpus() -> None:
    """Makes everything compute on the CPU until GPUs are claimed."""
    if os.environ.get("VLMRM_GPUS"):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def has_nvidia_gpu() -> bool:
    """Whether this process should find an NVIDIA GPU, whatever libraries make of it."""
    folder, pattern = NVIDIA_DEVICES
    hidden = "CUDA_VISIBLE_DEVICES" in os.environ and not visible_gpus()
    return not hidden and any(folder.glob(pattern))


def check_device(device: str) -> None:
    """Checks that PyTorch can use a device.

    Raises:
        UserError: It cannot.
    """
    import torch

    try:
        if device != "auto":
            torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = one_line(error).partition(". ")[0]
        raise UserError(
            f"--device: PyTorch cannot use '{device}' ({reason}); write auto, cpu, or cuda:NUMBER"
        ) from error


def claim_gpus(count: int = 1) -> None:
    """Waits for GPUs that no other command has. Call it before CUDA or OpenGL is started.

    MuJoCo renders on the first that CUDA sees, if the driver reports which that is.

    Args:
        count: How many; all that are listed, if they are fewer. With 0 CUDA sees none.
    """
    if count == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return
    gpus = [gpu.strip() for gpu in os.environ.get("VLMRM_GPUS", "").split(",") if gpu.strip()]
    count = min(count, len(gpus))
    waiting = False
    while len(free := _lock(gpus, count)) < count:
        if not waiting:
            LOGGER.info("waiting for %d of the GPUs %s, which are in use", count, ", ".join(gpus))
            waiting = True
        # Two commands that keep what they have would wait for each other.
        for lock in free.values():
            lock.close()
        time.sleep(1 + random.random())
    if free:
        _held.extend(free.values())
        os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(free)


def _lock(gpus: list[str], count: int) -> dict[str, socket.socket]:
    """Up to ``count`` of the GPUs that are free, with their locks."""
    # The GPUs of a SLURM job are its alone, but each job may number them from 0.
    prefix = "-".join(filter(None, ("vlmrm-gpu", os.environ.get("SLURM_JOB_ID"))))
    free: dict[str, socket.socket] = {}
    for gpu in gpus:
        lock = socket.socket(socket.AF_UNIX)
        try:
            # A name that Linux keeps, and no file: all users and all jobs have the same, whatever
            # their TMPDIR, and nobody can plant a link in its place.
            lock.bind(f"\0{prefix}-{gpu}")
        except OSError as error:
            lock.close()
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        free[gpu] = lock
        if len(free) == count:
            break
    return free
