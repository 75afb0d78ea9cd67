"""How far the humanoid's oracles can be trusted: on poses of known meaning, and at their edge."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlmrm.tasks.body import TOUCH, BodyQuantities, Bools, Floats
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import nudged, on_floor, perturbed, pose_library

COPIES = 25
"""Perturbed copies of each pose."""
NEIGHBOURS = 40
"""Neighbors of a state by which its distance from the boundary is told."""
NOISE = {"clean": 0.0, "slight": 0.5, "full": 1.0}
"""Perturbations of the poses in units of the state sets' noise."""


def accuracy(task: str, copies: int = COPIES, seed: int = 0) -> dict[str, float]:
    """How often the oracle of a task gives a pose the verdict that it was written for.

    Returns:
        Accuracies in [0, 1] over the poses that fulfill the task and over its hard negatives, at
        every perturbation of `NOISE`. The strongest ones undo some poses: hands no longer cross,
        a knee leaves the floor.
    """
    result: dict[str, float] = {}
    for role, meant in (("poses", True), ("hard negatives", False)):
        poses = _states_of(task, meant)
        result[role] = len(poses)
        for name, noise in NOISE.items():
            rng = np.random.default_rng(seed)
            states = perturbed(poses.repeat(copies, axis=0), rng, noise) if noise else poses
            result[f"{role}, {name}"] = float(np.mean(ORACLES[task](states) == meant))
    return result


def accuracies() -> pd.DataFrame:
    """`accuracy` of every task of the humanoid, one row each."""
    tasks = [name for name, oracle in ORACLES.items() if oracle.environment == "humanoid"]
    return pd.DataFrame([{"task": task, **accuracy(task)} for task in tasks])


def closest_to_boundary(task: str, count: int, seed: int = 0) -> tuple[Floats, Bools]:
    """The perturbed poses whose verdict hangs by a hair, half of them accepted.

    Returns:
        States ``[count, 47]``, those that the oracle accepts first, and its verdicts ``[count]``.
    """
    rng = np.random.default_rng(seed)
    poses = np.concatenate([_states_of(task, meant) for meant in (True, False)])
    states = perturbed(poses.repeat(COPIES, axis=0), rng)
    verdicts = ORACLES[task](states)
    neighbors = (_beside(states, rng) for _ in range(NEIGHBOURS))
    overturned = np.mean([ORACLES[task](others) != verdicts for others in neighbors], axis=0)
    # Half of the neighbors on either side: the state is on the boundary.
    order = np.argsort(np.abs(overturned - 0.5), kind="stable")
    accepted = order[verdicts[order]][: count // 2]
    rejected = order[~verdicts[order]][: count - len(accepted)]
    chosen = np.concatenate([accepted, rejected])
    return states[chosen], verdicts[chosen]


def _beside(states: Floats, rng: np.random.Generator) -> Floats:
    """A neighbor of each state, on the floor if the state is."""
    moved = nudged(states, rng)
    touching = BodyQuantities.of(states).lowest_point < TOUCH
    moved[touching] = on_floor(moved[touching])
    return moved


def _states_of(task: str, meant: bool) -> Floats:
    """The library's poses that were written for a task, or its hard negatives."""
    poses = pose_library().values()
    return np.stack([p.state for p in poses if task in (p.tasks if meant else p.near)])
