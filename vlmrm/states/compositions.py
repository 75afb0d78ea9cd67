"""Humanoid states composed of independent limbs, so that near misses of every kind occur."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from vlmrm.states.poses import library
from vlmrm.tasks.body import Floats
from vlmrm.tasks.poses import JOINTS, joint_limits, mirrored, tilted

LEAN = np.radians(12)
"""Standard deviation of the additional lean of the torso, about each horizontal axis."""
STRAIGHT = 0.5
"""Share of states whose torso keeps the lean of its stance."""
LIFT = 0.25
"""Largest height in meters of states above the floor."""
LIFTED = 0.05
"""Share of states above the floor."""
ANY_ANGLES = 0.2
"""Share of limbs with any joint angles instead of those of a pose."""
SAME_POSE = 0.5
"""Share of states whose changed limbs all go to one pose, such as one with crossed arms."""

LIMBS = [
    [7 + JOINTS.index(f"{side}_{joint}") for joint in joints]
    for joints in (("hip_x", "hip_z", "hip_y", "knee"), ("shoulder1", "shoulder2", "elbow"))
    for side in ("right", "left")
]
"""Entries of a state that are the joints of each limb: both legs, then both arms."""


def composed(stances: Floats, rng: np.random.Generator) -> Floats:
    """Gives each state ``[N, 47]`` one to four limbs of other poses; unsettled.

    A limb goes a random part of the way to that of a random pose, or to random joint angles. So
    most results differ from the first pose in a few limbs, and by more or less.
    """
    states = np.where(rng.random((len(stances), 1)) < 0.5, mirrored(stances), stances)
    n = len(states)
    changed = rng.random((n, len(LIMBS))).argsort(axis=1) < rng.integers(1, 5, (n, 1))
    lower, upper = joint_limits().T
    common = _limbs()[rng.integers(len(_limbs()), size=n)]
    alike = rng.random((n, 1)) < SAME_POSE
    for limb, columns in enumerate(LIMBS):
        joints = np.array(columns) - 7
        other = _limbs()[rng.integers(len(_limbs()), size=n)]
        goal = np.where(alike, common, other)[:, columns]
        anywhere = rng.uniform(lower[joints], upper[joints], (n, len(columns)))
        goal = np.where(rng.random((n, 1)) < ANY_ANGLES, anywhere, goal)
        # Half of the changes are complete.
        share = np.minimum(rng.uniform(0, 2, (n, 1)), 1) * changed[:, [limb]]
        states[:, columns] += share * (goal - states[:, columns])
    lean = rng.normal(0, LEAN, (2, n)) * (rng.random(n) > STRAIGHT)
    return tilted(states, *lean)


def lifted(states: Floats, rng: np.random.Generator) -> Floats:
    """Some of the states ``[N, 47]`` above the floor."""
    height: NDArray[np.float64] = rng.uniform(0, LIFT, len(states))
    states = states.copy()
    states[:, 2] += height * (rng.random(len(states)) < LIFTED)
    return states


@cache
def _limbs() -> Floats:
    """All poses and their mirror images."""
    _, poses = library()
    return np.concatenate([poses, mirrored(poses)])
