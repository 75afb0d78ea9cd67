"""The files that a reward is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RewardFiles:
    """The files that the rewards of a training are computed from.

    References and functions need none.
    """

    models: Sequence[Path] = ()
    """Folder of the model that scores frames; those of all members of an ensemble."""
    statistics: Path | None = None
    """Table of an ensemble's members, by which they are standardized."""
    grid: tuple[Path, Path, Path] | None = None
    """Instead of models: a grid of states, their rewards, and the errors of the interpolation."""
