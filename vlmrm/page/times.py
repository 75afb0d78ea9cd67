"""What a run took, from the benchmark files of its jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from vlmrm.data.files import reading


class Stage(NamedTuple):
    """The finished jobs of one rule: how many, their seconds together, and the longest's."""

    name: str
    jobs: int
    seconds: float
    longest: float


def stages(folder: Path) -> list[Stage]:
    """The stages of a run, the longest first; jobs ran side by side.

    Args:
        folder: Snakemake's extended benchmarks (JSON lines), one file per job. A job that was
            interrupted and continued counts from where it continued.
    """
    seconds: dict[str, list[float]] = {}
    for file in sorted(folder.rglob("*.jsonl")):
        with reading(file):
            record = json.loads(file.read_text().splitlines()[-1])
            seconds.setdefault(record["rule_name"], []).append(float(record["s"]))
    found = [
        Stage(rule.replace("_", " "), len(taken), sum(taken), max(taken))
        for rule, taken in seconds.items()
    ]
    return sorted(found, key=lambda stage: -stage.seconds)
