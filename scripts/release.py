"""Checks that everything that names the version agrees, and prints what changed in it.

    python scripts/release.py [TAG]

CHANGELOG.md, CITATION.cff, and workflow/Snakefile have to name the version of the package, the
first two with the same date, and TAG, if given, has to be "v" and this version. Printed is the
version's part of CHANGELOG.md. It needs no package but Python, and imports nothing of this one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGE = re.compile(r"^## (\d\S*) — (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
"""A version in CHANGELOG.md: its name, its date, and what changed."""


def release_notes(root: Path, tag: str | None = None) -> str:
    """The latest version's part of CHANGELOG.md.

    Args:
        root: Folder of the project.
        tag: The tag of the release.

    Raises:
        ValueError: The places that name the version do not agree; names them all.
    """

    def find(file: str, pattern: str) -> str:
        found = re.search(pattern, (root / file).read_text(encoding="utf-8"), re.MULTILINE)
        return found[1] if found else "missing"

    change = CHANGE.search((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    if change is None:
        raise ValueError("CHANGELOG.md: no part begins with '## VERSION — DATE'; add one")
    version, date, notes = change.groups()
    versions = {
        "vlmrm/__init__.py": find("vlmrm/__init__.py", r'^__version__ = "(.*)"$'),
        "workflow/Snakefile": find("workflow/Snakefile", r'^VERSION = "(.*)"$'),
        "CITATION.cff": find("CITATION.cff", r"^version: (.*)$"),
        "CHANGELOG.md": version,
    }
    if tag is not None:
        versions["the tag"] = tag.removeprefix("v")
    dates = {"CITATION.cff": find("CITATION.cff", r"^date-released: (.*)$"), "CHANGELOG.md": date}
    for kind, named in {"version": versions, "date": dates}.items():
        if len({*named.values()}) > 1:
            places = ", ".join(f"{value} ({place})" for place, value in named.items())
            raise ValueError(f"the {kind} differs: {places}")
    return notes.strip() + "\n"


if __name__ == "__main__":
    try:
        print(release_notes(Path(__file__).parents[1], *sys.argv[1:2]), end="")
    except ValueError as error:
        sys.exit(f"{sys.argv[0]}: {error}")
