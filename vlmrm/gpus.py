"""Several commands on a machine with several GPUs: each has one to itself.

Where the environment variable VLMRM_GPUS lists GPUs ("0,1,2,3", as nvidia-smi numbers them), a
command sees none of them until it claims one. The workflow sets it on machines with several; on a
cluster the scheduler deals GPUs out, and it is not set.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

_held: list[IO[bytes]] = []
"""Locks go with the process, however it ends."""


def hide_gpus() -> None:
    """Until a GPU is claimed, everything computes on the CPU."""
    if os.environ.get("VLMRM_GPUS"):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def claim_gpu() -> None:
    """Waits for a GPU that no other command has. Call it before CUDA or OpenGL is started.

    MuJoCo draws on the GPU that CUDA sees, where the driver tells which that is.
    """
    gpus = [gpu.strip() for gpu in os.environ.get("VLMRM_GPUS", "").split(",") if gpu.strip()]
    while gpus:
        for gpu in gpus:
            if _lock(Path(tempfile.gettempdir()) / f"vlmrm-gpu-{gpu}.lock"):
                os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
                os.environ["CUDA_VISIBLE_DEVICES"] = gpu
                return
        time.sleep(1)


def _lock(path: Path) -> bool:
    with suppress(PermissionError):
        path.touch()  # another user's file can be locked, but not touched
    file = path.open("rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    _held.append(file)
    return True
