"""What finished jobs took: Snakemake's extended benchmarks, one file of JSON lines per job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Benchmark(NamedTuple):
    """A finished job: its rule, its wildcards, and its seconds.

    A job that was interrupted and continued counts from where it continued.
    """

    rule: str
    wildcards: dict[str, Any]
    seconds: float


def read_benchmarks(folder: Path) -> Iterator[Benchmark]:
    """The benchmarks of a run, by the names of their files.

    Snakemake writes them in place, so that a kill may cut one off; such files are left out.

    Args:
        folder: The run's folder of benchmarks; may be missing.
    """
    for file in sorted(folder.rglob("*.jsonl")):
        try:
            record = json.loads(file.read_text().splitlines()[-1])
            found = Benchmark(record["rule_name"], dict(record["wildcards"]), float(record["s"]))
        except (OSError, IndexError, KeyError, TypeError, ValueError):
            continue
        yield found
