"""The workflow, which runs in any folder and is a module for others."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("workflow")
"""A link to the folder of this name in the repository."""

SNAKEFILE = FOLDER / "Snakefile"

PROFILE = FOLDER / "profiles" / "default"
"""Its settings of Snakemake on one machine, which a workflow that uses it as a module can share."""


def is_workflow(snakefile: Path) -> bool:
    """Whether a file is this Snakefile, a copy, or one that does nothing but include it.

    Workflows that use this one as a module have another.
    """
    if not snakefile.is_file():
        return False
    content = snakefile.read_bytes()
    if b'\ninclude: "workflow/Snakefile"\n' in content:
        return is_workflow(snakefile.parent / "workflow" / "Snakefile")
    return content == SNAKEFILE.read_bytes()
