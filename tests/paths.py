"""Places in the repository, and its smallest configuration that uses every rule."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from vlmrm.config.loading import read_merged

ROOT = Path(__file__).parents[1]
SMOKE_ALL = ROOT / "config" / "smoke-all.yaml"

# Before any test has left the repository, to which the file's `extends` is relative.
_CONTENT = {**read_merged(SMOKE_ALL), "run": "smoke"}


def smoke_all() -> dict[str, Any]:
    """The content of `SMOKE_ALL` and what it extends, for a run named "smoke"; may be changed."""
    return deepcopy(_CONTENT)
