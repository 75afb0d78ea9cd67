"""How far a simulator state is from what a caption says.

A fact is true or not, but an agent on its way to a sentence passes through states that are more or
less close to it, and its reward has to rise on the way. Here the distance of a state from a value
of a fact is that from the nearest state with this value, in the quantities by which one sees the
fact. Each is in units of a difference that makes a state clearly another one, as in the oracles.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from vlmrm.config import EnvironmentName
from vlmrm.envs.cartpole import MAX_CART_POSITION, pole_in_sight
from vlmrm.pretraining.captions import Facts
from vlmrm.pretraining.phrases import PHRASES
from vlmrm.tasks.body import FEET, BodyQuantities, Floats
from vlmrm.tasks.oracles import ANGLE, COSINE, DISTANCE, HEIGHT, LIFTED
from vlmrm.tasks.poses import mirrored

FAR = 100.0
"""Distance from a value that no state has, and from everything of another environment."""
MAX_EXAMPLES = 2000
"""Largest number of states with a value from which distances are measured, mirror images aside."""
POLE_ANGLE = np.radians(15)
"""Unit of the lean of CartPole's pole in radians."""
ROAD = 0.3
"""Unit of the position of MountainCar's car."""

Coordinates = dict[str, Floats]
"""For each fact, the quantities ``[N, K]`` by which one sees it."""


def distances(
    environment: EnvironmentName, states: Floats, facts: list[Facts], workers: int = 1
) -> Floats:
    """Distance of each state from each value of each fact.

    Args:
        environment: Name of the environment.
        states: States ``[N, D]``.
        facts: The facts that each state shows clearly.
        workers: Number of threads; -1 for one per core.

    Returns:
        Float32 ``[N, V]`` in [0, `FAR`], with the values in the order of `PHRASES`. It is 0 exactly
        where a state shows the value clearly.
    """
    seen = coordinates(environment, states)
    reflected = coordinates(environment, mirrored(states)) if environment == "humanoid" else seen
    rng = np.random.default_rng(0)
    columns = []
    for fact, values in PHRASES[environment].items():
        shown = np.array([f.get(fact) for f in facts])
        for value in values:
            distance = np.full(len(states), FAR, np.float32)
            true = np.flatnonzero(shown == value)
            if len(true):
                some = rng.permutation(true)[:MAX_EXAMPLES]
                tree = KDTree(np.concatenate([seen[fact][some], reflected[fact][some]]))
                distance[:] = tree.query(seen[fact], workers=workers)[0]
                distance[true] = 0
            columns.append(distance)
    return np.stack(columns, axis=1)


def coordinates(environment: EnvironmentName, states: Floats) -> Coordinates:
    """The visible quantities of states ``[N, D]`` by fact, in units of clear differences."""
    if environment == "cartpole":
        x, theta = states[:, 0], states[:, 2]
        lean = np.stack([np.sin(theta), np.cos(theta)], axis=1) / POLE_ANGLE
        lean[~pole_in_sight(x, theta)] = 0  # as far from one lean as from another
        return {"lean": lean, "cart": x[:, None] / (MAX_CART_POSITION / 3)}
    if environment == "mountain-car":
        return {"place": states[:, :1] / ROAD}
    return _humanoid(BodyQuantities.of(states))


def _humanoid(body: BodyQuantities) -> Coordinates:
    def table(*columns: Floats) -> Floats:
        return np.hstack([column.reshape(len(column), -1) for column in columns])

    sideways = np.sqrt(np.clip(1 - body.uprightness**2 - body.frontness**2, 0, 1))
    torso = table(body.uprightness, body.frontness, sideways) / COSINE
    feet = body.clearance(*FEET)
    heights = table(body.pelvis_height, body.clearance("butt"), body.knee_clearance, feet)
    legs = table(body.thigh_directions, body.shin_directions)
    hands_above_head = body.hands[..., 2] - body.head_height[:, None]
    arms = table(body.in_torso_frame(body.hands), body.in_torso_frame(body.elbows))
    return {
        "posture": table(
            heights / HEIGHT,
            body.lowest_point / HEIGHT,
            torso,
            legs / COSINE,
            body.imbalance_on_feet() / (2 * DISTANCE),
        ),
        "arms": table(arms / DISTANCE, hands_above_head / HEIGHT),
        "legs": table(feet / LIFTED, body.leg_spread / ANGLE, body.pelvis_height / HEIGHT),
        "knees": body.knee_angles / ANGLE,
        "torso": torso,
    }
