"""What a run took, from the benchmark files of its jobs."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import humanize

from vlmrm.data.benchmarks import read_benchmarks


class Stage(NamedTuple):
    """The finished jobs of one rule: how many, their seconds together, and the longest's."""

    name: str
    jobs: int
    seconds: float
    longest: float


def stages(folder: Path) -> list[Stage]:
    """The stages of a run, the longest first; jobs ran side by side.

    Args:
        folder: The run's folder of benchmarks.
    """
    seconds: dict[str, list[float]] = {}
    for job in read_benchmarks(folder):
        seconds.setdefault(job.rule, []).append(job.seconds)
    found = [
        Stage(rule.replace("_", " "), len(taken), sum(taken), max(taken))
        for rule, taken in seconds.items()
    ]
    return sorted(found, key=lambda stage: -stage.seconds)


def in_words(seconds: float) -> str:
    """A duration such as "1 hour and 30 minutes"; seconds only if it is shorter than a minute."""
    unit = "minutes" if seconds >= 60 else "seconds"
    return humanize.precisedelta(seconds, minimum_unit=unit, format="%.0f")
