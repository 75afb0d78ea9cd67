"""Accuracy of the humanoid's oracles on known poses, and states close to their boundary."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from vlmrm.tasks.body import TOUCH, BodyQuantities, Bools, Floats
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import nudged, on_floor, perturbed, pose_library

COPIES = 25
"""Perturbed copies of each pose."""
NEIGHBORS = 40
"""Neighbors of a state by which its distance from the boundary is estimated."""
NOISE = {"clean": 0.0, "slight": 0.5, "full": 1.0}
"""Perturbations of the poses, in units of the state sets' noise."""


def accuracy(task: str, copies: int = COPIES) -> dict[str, float]:
    """How often the oracle of a task gives a pose its intended verdict.

    Returns:
        Accuracies in [0, 1] over the poses that fulfill the task and over its hard negatives, at
        every perturbation of `NOISE`. The strongest one undoes some poses: hands no longer cross, a
        knee leaves the floor.
    """
    result: dict[str, float] = {}
    for role, expected in (("poses", True), ("hard negatives", False)):
        poses = _poses_of(task, expected)
        result[role] = len(poses)
        for name, noise in NOISE.items():
            rng = np.random.default_rng(0)
            states = perturbed(poses.repeat(copies, axis=0), rng, noise) if noise else poses
            result[f"{role}, {name}"] = float(np.mean(ORACLES[task](states) == expected))
    return result


def accuracies(tasks: Iterable[str]) -> pd.DataFrame:
    """`accuracy` of tasks of the humanoid, one row each."""
    return pd.DataFrame([{"task": task, **accuracy(task)} for task in tasks])


def closest_to_boundary(task: str, count: int) -> tuple[Floats, Bools]:
    """The perturbed poses closest to the boundary of the oracle, half of them accepted.

    Returns:
        States ``[count, 47]``, accepted ones first, and the oracle's verdicts ``[count]``.
    """
    rng = np.random.default_rng(0)
    poses = np.concatenate([_poses_of(task, expected) for expected in (True, False)])
    states = perturbed(poses.repeat(COPIES, axis=0), rng)
    verdicts = ORACLES[task](states)
    neighbors = (_neighbors(states, rng) for _ in range(NEIGHBORS))
    overturned = np.mean([ORACLES[task](others) != verdicts for others in neighbors], axis=0)
    # A state with half of its neighbors on either side is on the boundary.
    order = np.argsort(np.abs(overturned - 0.5), kind="stable")
    accepted = order[verdicts[order]][: count // 2]
    rejected = order[~verdicts[order]][: count - len(accepted)]
    rows = np.concatenate([accepted, rejected])
    return states[rows], verdicts[rows]


def _neighbors(states: Floats, rng: np.random.Generator) -> Floats:
    """A neighbor of each state, on the floor if the state is."""
    moved = nudged(states, rng)
    touching = BodyQuantities.of(states).lowest_point < TOUCH
    moved[touching] = on_floor(moved[touching])
    return moved


def _poses_of(task: str, expected: bool) -> Floats:
    """States of the library's poses that fulfill a task, or of its hard negatives."""
    poses = pose_library().values()
    return np.stack([p.state for p in poses if task in (p.tasks if expected else p.near)])
