"""Facts about states of classic control: what the frames show, in levels."""

from __future__ import annotations

import numpy as np

from vlmrm.envs.cartpole import MAX_CART_POSITION
from vlmrm.pretraining.humanoid_facts import Margins
from vlmrm.tasks.body import Floats

POLE_ANGLE = 15.0
"""Unit of margins of the pole's lean in degrees."""
CART_PLACE = MAX_CART_POSITION / 3
"""Unit of margins of the cart's position."""
ROAD = 0.3
"""Unit of margins of the car's position."""

LEANS = {"trace": 1.5, "slight": 4, "small": 8, "clear": 15, "strong": 30, "flat": 60, "down": 120}
"""Smallest angle of each lean of the pole in degrees; below the first there is none."""
CART_PLACES = {"far-left": -np.inf, "left": -1.2, "center": -0.4, "right": 0.4, "far-right": 1.2}
CAR_PLACES = {
    "left-top": -np.inf,
    "left-high": -1.0,
    "left-low": -0.8,
    "valley": -0.62,
    "right-low": -0.42,
    "right-middle": -0.15,
    "right-high": 0.15,
    "summit": 0.4,
}
"""The places from left to right, and where each begins."""


def cartpole_margins(states: Floats) -> dict[str, Margins]:
    """The margins of every value of each fact, for states ``[N, 4]``."""
    lean = np.degrees(states[:, 2])
    first, *starts = LEANS.values()
    lean_margins = {"none": _around(lean, 0, first)}
    for (size, start), end in zip(LEANS.items(), [*starts, 180.0], strict=True):
        for side, sign in (("right", 1), ("left", -1)):
            name = size if size == "down" else f"{size}-{side}"
            center = 180.0 if size == "down" else sign * (start + end) / 2
            half = 180.0 - start if size == "down" else (end - start) / 2
            lean_margins[name] = _around(lean, center, half)
    return {"lean": lean_margins, "cart": _between(states[:, 0], CART_PLACES, CART_PLACE)}


def mountain_car_margins(states: Floats) -> dict[str, Margins]:
    """The margins of every value of the only fact, for states ``[N, 2]``."""
    return {"place": _between(states[:, 0], CAR_PLACES, ROAD)}


def _around(angles: Floats, center: float, half: float) -> Floats:
    """Margins ``[N, 1]`` of angles in degrees that must be near a center."""
    apart = np.abs((angles - center + 180) % 360 - 180)
    return ((half - apart) / POLE_ANGLE)[:, None]


def _between(values: Floats, starts: dict[str, float], unit: float) -> Margins:
    """Margins of the interval from each start to the next."""
    ends = [*list(starts.values())[1:], np.inf]
    return {
        name: np.stack([values - start, end - values], axis=1) / unit
        for (name, start), end in zip(starts.items(), ends, strict=True)
    }
