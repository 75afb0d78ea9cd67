"""Which jobs there are to do: asked of Snakemake, which alone knows what is done already."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vlmrm.errors import UserError

MANY_CORES = 64
"""As many as any rule asks for: a job of one thread is then told from one that takes them all."""


@dataclass(frozen=True)
class Job:
    """A job of the workflow.

    Attributes:
        rule: Name of its rule.
        wildcards: What the rule is carried out for.
        alone: Whether it takes all cores; the others run beside each other.
        output: The first of the paths that it makes.
        waits: Whether it needs what another of the planned jobs makes.
    """

    rule: str
    wildcards: dict[str, str]
    alone: bool = False
    output: str = ""
    waits: bool = False


def planned_jobs(
    config: str | os.PathLike[str], targets: Sequence[str] = (), folder: Path | None = None
) -> list[Job]:
    """The jobs of a dry run in a folder, by default this one.

    Args:
        config: Configuration file.
        targets: Files to make; by default everything.
        folder: Holds the ``Snakefile``.

    Raises:
        UserError: There is no workflow in the folder, or Snakemake refuses.
    """
    folder = folder or Path.cwd()
    if not (folder / "Snakefile").is_file():
        raise UserError(f"{folder}: no Snakefile here; run this in the folder of the project")
    command = [sys.executable, "-m", "snakemake", *targets, "--dry-run", "--nolock"]
    command += ["--cores", str(MANY_CORES), "--configfile", str(Path(config).resolve())]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if run.returncode:
        raise UserError(f"{config}: {_reason(run.stderr + run.stdout)}")
    return parse_dry_run(run.stdout)


def parse_dry_run(text: str) -> list[Job]:
    """The jobs that Snakemake announced; ``all`` is none."""
    announced = []
    for block in re.split(r"^(?:local)?rule ", text, flags=re.MULTILINE)[1:]:
        rule, _, rest = block.partition(":\n")
        # The properties of a job are indented, what follows is not.
        lines = re.match(r"(?:[ \t]+.*\n)*", rest)
        properties = dict(re.findall(r"^ +(\w+): (.*)$", lines[0] if lines else "", re.MULTILINE))
        if rule != "all":
            announced.append((rule, properties))
    made = {file for _, properties in announced for file in _files(properties, "output")}
    return [
        Job(
            rule,
            dict(re.findall(r"(\w+)=([^,]*)", properties.get("wildcards", ""))),
            alone=int(properties.get("threads", 1)) > 1,
            output=_files(properties, "output")[0] if "output" in properties else "",
            waits=not made.isdisjoint(_files(properties, "input")),
        )
        for rule, properties in announced
    ]


def _files(properties: dict[str, str], key: str) -> list[str]:
    """Paths as a dry run lists them, without what it says of some, for example `` (update)``."""
    files = properties.get(key, "").split(", ")
    return [re.sub(r" \([^)]*\)$", "", file) for file in files if file]


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    own = [line.partition("vlmrm: ")[2] for line in lines if "vlmrm: " in line]
    return (own or lines[-1:] or ["Snakemake ended without a word"])[0]
