"""Progress bars of long commands: on the terminal, or in a file that the workflow shows."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

SHOWN = "VLMRM_PROGRESS_SHOWN"
"""Set by a workflow that shows the progress of its commands: several bars on one terminal would
overwrite each other."""

FORMAT = "{percentage:3.0f} % |{bar:12}| {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left"
SECONDS = 2.0
"""Time between two updates in a file."""
TAIL = 4096
"""Bytes at the end of a file that contain its last update: a training of days writes megabytes."""

_file: IO[str] | None = None


def progress_file(log: Path) -> Path:
    """Where a command with this log file writes its progress."""
    return log.with_suffix(".progress")


def redirect_bars(log: Path) -> None:
    """From now on, writes bars to the log's progress file, if a workflow shows them."""
    global _file  # like logging's handlers, for the whole process
    if os.environ.get(SHOWN):
        _file = progress_file(log).open("w", encoding="utf-8")


def bars_are_shown() -> bool:
    """Whether a workflow shows the bars of this command, and its log if it fails."""
    return _file is not None


def bar(steps: Iterable[Any] | None = None, **options: Any) -> tqdm[Any]:
    """A `tqdm` bar; without a terminal and a workflow that shows it, none."""
    from tqdm import tqdm  # every command imports this module

    if not bars_are_shown():
        return tqdm(steps, disable=None, **options)
    return tqdm(steps, file=_file, bar_format=FORMAT, mininterval=SECONDS, ascii=False, **options)


def last_bar(path: Path, since: float) -> str:
    """The latest state of the bar in a progress file; empty if there is none yet.

    Args:
        path: The file.
        since: Time at which its command started; what is older is of an earlier one.
    """
    try:
        status = path.stat()
        if status.st_mtime < since:
            return ""
        with path.open("rb") as file:
            file.seek(max(status.st_size - TAIL, 0))
            states = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((text.strip() for text in reversed(states) if text.strip()), "")
