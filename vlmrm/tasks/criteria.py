"""What a state lacks in the eyes of an oracle, in words."""

from __future__ import annotations

import numpy as np

from vlmrm.tasks.body import Floats
from vlmrm.tasks.oracles import ORACLES


def _sides(text: str) -> tuple[str, str]:
    return text.format("right"), text.format("left")


_PLAUSIBLE = ("in mid-air", "inside the floor", "parts overlap", "moving fast")
_STANDING = (*_PLAUSIBLE, "no foot on the floor", "hips too low", "leaning over", "off balance")

FAILURES: dict[str, tuple[str, ...]] = {
    "cartpole": ("pole not upright", "cart off its track"),
    "mountain-car": ("car not at the flag",),
    "kneeling": (
        *_PLAUSIBLE,
        *_sides("{} knee off the floor"),
        "seat too low",
        "trunk or arms on the floor",
        "leaning over",
        "off balance",
    ),
    "lotus": (
        *_PLAUSIBLE,
        "seat off the floor",
        "leaning over",
        *_sides("{} knee off the floor"),
        *_sides("{} thigh not outwards"),
        *_sides("{} shin not inwards"),
        *_sides("{} foot not inwards"),
    ),
    "standing": _STANDING,
    "arms-raised": (*_STANDING, *_sides("{} hand too low"), *_sides("{} elbow too low")),
    "splits": (
        *_PLAUSIBLE,
        "seat off the floor",
        "leaning over",
        *_sides("{} shin off the floor"),
        *_sides("{} foot off the floor"),
        *_sides("{} knee bent"),
        *_sides("{} leg not to the side"),
    ),
    "hands-on-hips": (*_STANDING, *_sides("{} hand off the hip"), *_sides("{} elbow straight")),
    "arms-crossed": (
        *_STANDING,
        *_sides("{} hand not across"),
        *_sides("{} hand behind the trunk"),
        *_sides("{} hand too high or low"),
    ),
    "one-leg": (*_STANDING, "no foot clearly lifted"),
}
"""What it means that a margin of an oracle is negative, in the order of its margins."""


def failures(oracle: str, states: Floats) -> list[list[str]]:
    """The criteria that each state ``[N, D]`` fails, the worst first; none where it succeeds.

    Args:
        oracle: Name of one of `ORACLES`.
        states: States, one per row.
    """
    if not len(states):
        return []
    margins = ORACLES[oracle].margins(states)
    names = np.array(FAILURES[oracle])
    return [[str(names[i]) for i in np.argsort(row) if row[i] < 0] for row in margins]
