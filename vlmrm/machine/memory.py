"""Main memory of this machine."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import humanize

from vlmrm.errors import UserError

MEMBERSHIP = Path("/proc/self/cgroup")
"""The control groups of this process, each as ``0::/path`` or ``4:memory:/path``."""
CGROUPS = Path("/sys/fs/cgroup")
"""Where they are: containers, schedulers, and systemd limit memory by them."""


def main_memory() -> int:
    """Megabytes of main memory that this process may use: the machine's, or less by a limit."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    own, _ = resource.getrlimit(resource.RLIMIT_AS)
    limits = [*_cgroup_limits(), *([] if own == resource.RLIM_INFINITY else [own])]
    return min([memory, *limits]) // 1_000_000


def _cgroup_limits() -> Iterator[int]:
    lines = MEMBERSHIP.read_text().splitlines() if MEMBERSHIP.is_file() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, name = CGROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = CGROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = Path(path)
        for folder in (group, *group.parents):
            file = root / folder.relative_to("/") / name
            if file.is_file() and (limit := file.read_text().strip()).isdigit():
                yield int(limit)


def memory_problem(key: str, needed: float) -> str | None:
    """Why a setting cannot work on this machine, if it needs more bytes than there are."""
    memory = 1e6 * main_memory()
    if needed <= memory:
        return None
    return (
        f"{key}: needs about {humanize.naturalsize(needed)} of memory, but this machine, or the "
        f"limit of this process, has {humanize.naturalsize(memory)}; choose a smaller value"
    )


def require_memory(key: str, needed: float) -> None:
    """Checks that there is memory for what a setting asks for.

    Raises:
        UserError: This machine has less.
    """
    if problem := memory_problem(key, needed):
        raise UserError(
            f"{problem}, or, where the limit is a cluster's, ask for more memory: "
            "--set-resources train_policy:mem_mb=MEGABYTES"
        )
