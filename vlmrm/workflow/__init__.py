"""The workflow, which runs in any folder and is a module for others."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("workflow")
"""A link to the folder of this name in the repository."""

SNAKEFILE = FOLDER / "Snakefile"

PROFILE = FOLDER / "profiles" / "default"
"""Its settings of Snakemake on one machine, which a workflow that uses it as a module can share."""


def is_workflow(snakefile: Path) -> bool:
    """Whether a file is this Snakefile, or a copy of it: not that of a workflow that uses it."""
    return snakefile.is_file() and snakefile.read_bytes() == SNAKEFILE.read_bytes()
