"""Where a result came from: versions, commit, settings."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LIBRARIES = (
    "vlmrm",
    "torch",
    "open_clip_torch",
    "gymnasium",
    "stable-baselines3",
    "mujoco",
    "numpy",
)


def provenance(**context: Any) -> dict[str, Any]:
    """Versions, commit, and time of this process, with ``context`` (settings, seed) added."""
    return {
        **_environment(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **context,
    }


@functools.cache
def _environment() -> dict[str, Any]:
    versions = {name: _version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "versions": versions, "commit": _commit()}


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout that contains the package, with ``+`` if it was edited since.

    A container has no checkout; its image sets ``VLMRM_COMMIT`` instead. An environment in somebody
    else's checkout has none either.
    """
    here = Path(__file__).parents[1]

    def git(*arguments: str) -> str:
        # A lock of the index would stay if this is killed, and stop the user's own Git meanwhile.
        command = ["git", "--no-optional-locks", "-C", str(here), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "--", str(Path(__file__).relative_to(here)))
        edited = git("status", "--porcelain", "--untracked-files=no", "--", str(here))
        return git("rev-parse", "--short=12", "HEAD") + ("+" if edited else "")
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("VLMRM_COMMIT")
