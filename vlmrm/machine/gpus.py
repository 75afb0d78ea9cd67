"""Several commands on a machine with several GPUs: each has its own.

Where the environment variable VLMRM_GPUS lists GPUs ("0,1,2,3", as nvidia-smi numbers them), a
command sees none of them until it claims some. The workflow sets it on machines with several; on a
cluster the scheduler deals GPUs out, and it is not set. Commands that are to have none see none
anywhere.
"""

from __future__ import annotations

import fcntl
import logging
import os
import random
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

LOGGER = logging.getLogger("vlmrm")

NVIDIA_DEVICES = (Path("/dev"), "nvidia[0-9]*")
"""Where the driver shows its GPUs: a container may have any of them, not just the first."""

_held: list[IO[bytes]] = []
"""Locks go with the process, however it ends."""


def hide_gpus() -> None:
    """Until GPUs are claimed, everything computes on the CPU."""
    if os.environ.get("VLMRM_GPUS"):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def has_nvidia_gpu() -> bool:
    """Whether this process is meant to find an NVIDIA GPU, whatever libraries make of it."""
    folder, pattern = NVIDIA_DEVICES
    return os.environ.get("CUDA_VISIBLE_DEVICES") != "" and any(folder.glob(pattern))


def claim_gpus(count: int = 1) -> None:
    """Waits for GPUs that no other command has. Call it before CUDA or OpenGL is started.

    MuJoCo draws on the first that CUDA sees, where the driver tells which that is.

    Args:
        count: How many; all that are listed, if they are fewer. With 0 CUDA sees none.
    """
    if count == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return
    gpus = [gpu.strip() for gpu in os.environ.get("VLMRM_GPUS", "").split(",") if gpu.strip()]
    count = min(count, len(gpus))
    told = False
    while len(free := _lock(gpus, count)) < count:
        if not told:
            LOGGER.info("waiting for %d of the GPUs %s, which others use", count, ", ".join(gpus))
            told = True
        # Two commands that keep what they have would wait for each other.
        for file in free.values():
            file.close()
        time.sleep(1 + random.random())
    if free:
        _held.extend(free.values())
        os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(free)


def _lock(gpus: list[str], count: int) -> dict[str, IO[bytes]]:
    """Up to ``count`` of the GPUs that nobody has, with their locks."""
    free: dict[str, IO[bytes]] = {}
    for gpu in gpus:
        path = Path(tempfile.gettempdir()) / f"vlmrm-gpu-{gpu}.lock"
        # Another user's file can be locked, but not touched.
        with suppress(PermissionError):
            path.touch()
            path.chmod(0o644)  # whatever its owner's mask
        file = path.open("rb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        free[gpu] = file
        if len(free) == count:
            break
    return free
