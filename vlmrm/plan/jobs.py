"""The jobs of a run, by a dry run of Snakemake."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from vlmrm.errors import UserError

DRAWS = "draw_"
"""Prefix of the rules of figures."""


class Job(NamedTuple):
    """A job of the workflow: its rule, its wildcards, and its files."""

    rule: str
    wildcards: dict[str, str]
    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What tells it from all other jobs of the run."""
        return self.rule, frozenset(self.wildcards.items())


def planned_jobs(arguments: Sequence[str], folder: Path | None = None) -> list[Job]:
    """The jobs of a dry run of Snakemake in a folder, by default this one.

    Raises:
        UserError: Snakemake refuses.
    """
    options = [*arguments]
    # Whatever else is not to be printed, the jobs are.
    end = options.index("--") if "--" in options else len(options)
    options[end:end] = ["--quiet", "host"]
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--nolock", *options]
    run = subprocess.run(command, cwd=folder or Path.cwd(), capture_output=True, text=True)
    if run.returncode:
        lines = [line.strip() for line in (run.stderr + run.stdout).splitlines() if line.strip()]
        own = [line.partition("vlmrm: ")[2] for line in lines if "vlmrm: " in line]
        raise UserError((own or lines[-1:] or ["Snakemake failed without a message"])[0])
    return parse_dry_run(run.stdout)


def finished_jobs(
    arguments: Sequence[str], left: Iterable[Job], folder: Path | None = None
) -> list[Job]:
    """The jobs that are done and whose settings have not changed since.

    Args:
        arguments: As for `planned_jobs`.
        left: What it found.
        folder: As for `planned_jobs`.
    """
    keys = {job.key for job in left}
    jobs = planned_jobs(["--forceall", *arguments], folder)
    return [job for job in jobs if job.key not in keys]


def parse_dry_run(text: str) -> list[Job]:
    """The jobs that a dry run prints, without ``all``."""
    jobs = []
    for rule, block in re.findall(r"^(?:local)?rule (\w+):\n((?: +.*\n)*)", text, re.MULTILINE):
        fields = dict(re.findall(r"^ +(\w+): (.*)$", block, re.MULTILINE))
        wildcards = dict(re.findall(r"(\w+)=([^,]*)", fields.get("wildcards", "")))
        outputs, inputs = (_files(fields.get(name, "")) for name in ("output", "input"))
        if rule != "all":
            jobs.append(Job(rule, wildcards, outputs, inputs))
    return jobs


def _files(field: str) -> tuple[str, ...]:
    """File names without flags, such as ``(update)``."""
    return tuple(re.sub(r" \(\w+\)$", "", name) for name in field.split(", ") if name)


def jobs_by_figure(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    """All jobs that each figure, landscape, measurement, and experiment needs."""
    jobs = list(jobs)
    makers = {output: number for number, job in enumerate(jobs) for output in job.outputs}
    needed: dict[str, set[int]] = {}
    for number, job in enumerate(jobs):
        if job.rule.startswith(DRAWS):
            needed.setdefault(_figure(job), set()).update(_ancestors(number, jobs, makers))
    return {name: [jobs[number] for number in sorted(numbers)] for name, numbers in needed.items()}


def _ancestors(number: int, jobs: list[Job], makers: dict[str, int]) -> set[int]:
    """The job itself and all jobs whose outputs it needs, directly or not."""
    found, left = set(), [number]
    while left:
        number = left.pop()
        if number not in found:
            found.add(number)
            left += [makers[name] for name in jobs[number].inputs if name in makers]
    return found


def _figure(job: Job) -> str:
    """For example ``epic kneeling-poses``, of which there are several figures, or ``poses``."""
    kinds = [kind for kind in ("landscape", "epic", "experiment") if kind in job.wildcards]
    kind = kinds[0] if kinds else job.rule.removeprefix(DRAWS).replace("_", " ")
    return " ".join((kind, *job.wildcards.values()))
