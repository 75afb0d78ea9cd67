"""The workflow, for commands that run it in any folder: links to the files of the repository."""

from __future__ import annotations

from pathlib import Path

SNAKEFILE = Path(__file__).with_name("Snakefile")
