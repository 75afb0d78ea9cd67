"""Several commands on a machine with several GPUs: each has its own.

Where the environment variable VLMRM_GPUS lists GPUs ("0,1,2,3", as nvidia-smi numbers them), a
command sees none of them until it claims some. The workflow sets it on machines with several; on a
cluster the scheduler deals GPUs out, and it is not set.
"""

from __future__ import annotations

import fcntl
import os
import random
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

_held: list[IO[bytes]] = []
"""Locks go with the process, however it ends."""


def hide_gpus() -> None:
    """Until GPUs are claimed, everything computes on the CPU."""
    if os.environ.get("VLMRM_GPUS"):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def claim_gpus(count: int = 1) -> None:
    """Waits for GPUs that no other command has. Call it before CUDA or OpenGL is started.

    MuJoCo draws on the first that CUDA sees, where the driver tells which that is.

    Args:
        count: How many; all that are listed, if they are fewer.
    """
    gpus = [gpu.strip() for gpu in os.environ.get("VLMRM_GPUS", "").split(",") if gpu.strip()]
    count = min(count, len(gpus))
    if not count:
        return
    while len(free := _lock(gpus, count)) < count:
        # Two commands that keep what they have would wait for each other.
        for file in free.values():
            file.close()
        time.sleep(1 + random.random())
    _held.extend(free.values())
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(free)


def _lock(gpus: list[str], count: int) -> dict[str, IO[bytes]]:
    """Up to ``count`` of the GPUs that nobody has, with their locks."""
    free: dict[str, IO[bytes]] = {}
    for gpu in gpus:
        path = Path(tempfile.gettempdir()) / f"vlmrm-gpu-{gpu}.lock"
        with suppress(PermissionError):
            path.touch()  # another user's file can be locked, but not touched
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
