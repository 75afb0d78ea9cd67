"""Facts about humanoid states in a small closed vocabulary, for captions.

Thresholds are softer than the oracles', so that every state gets a fair description. A state that
is described as kneeling does not have to fulfill the kneeling task.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vlmrm.tasks.body import FEET, BodyQuantities, Bools, Floats
from vlmrm.tasks.poses import nudged

Posture = Literal[
    "standing",
    "leaning",
    "bowing",
    "squatting",
    "kneeling",
    "heel-sitting",
    "half-kneeling",
    "crawling",
    "sitting",
    "lotus",
    "splits",
    "lying-on-back",
    "lying-face-down",
    "lying-on-side",
    "in-mid-air",
]
Arms = Literal[
    "raised",
    "one-raised",
    "on-hips",
    "one-on-hip",
    "crossed",
    "together",
    "spread",
    "forward",
    "hanging",
    "bent",
]
Legs = Literal["one-lifted", "apart", "together", "in-between"]

FACTS: dict[str, tuple[str, ...]] = {
    "posture": get_args(Posture),
    "arms": get_args(Arms),
    "legs": get_args(Legs),
}
"""Every fact and its values."""

AIRBORNE = 0.1
"""Height in meters of the lowest point of a body that is visibly off the floor."""
TILTED = np.cos(np.radians(55))
"""Lean of a torso, as a cosine, that is no longer upright in any sense."""
LEANING = np.cos(np.radians(30))
"""Lean of the torso, as a cosine, of a standing robot that is about to fall."""
FEET_CARRY = 0.6
"""Height in meters of a pelvis that the legs carry."""
STANDING_PELVIS = 0.72
"""Height in meters of the pelvis when standing."""
SEAT = 0.15
"""Clearance in meters of a seat that is on the floor or on the shins."""
SEAT_ON_FEET = 0.25
"""Clearance in meters of a seat on the crossed feet, which are 0.15 high."""
RAISED_SEAT = 0.2
"""Clearance in meters of a seat that is visibly above the heels."""
NEAR_FLOOR = 0.1
"""Clearance in meters of knees that carry weight, give or take a shin's thickness."""
NUDGES = 6
"""Number of neighboring states that must share a fact for it to be clear."""


def describe(states: Floats) -> list[dict[str, str]]:
    """The facts of each state ``[N, 47]``: posture, arms, and legs."""
    facts = _facts(states)
    return [dict(zip(facts, values, strict=True)) for values in zip(*facts.values(), strict=True)]


def describe_clearly(states: Floats) -> list[dict[str, str]]:
    """The facts of each state ``[N, 47]`` that a viewer would agree on.

    Halfway between sitting and lying, a frame shows neither. A fact is left out unless it stays the
    same when joints, lean, and height change by the smallest visible amount.
    """
    facts = _facts(states)
    clear = {fact: np.ones(len(states), dtype=bool) for fact in facts}
    rng = np.random.default_rng(0)
    for _ in range(NUDGES):
        for fact, values in _facts(nudged(states, rng)).items():
            clear[fact] &= values == facts[fact]
    return [
        {fact: str(values[i]) for fact, values in facts.items() if clear[fact][i]}
        for i in range(len(states))
    ]


def _facts(states: Floats) -> dict[str, NDArray[np.str_]]:
    body = BodyQuantities.of(states)
    return {"posture": _posture(body), "arms": _arms(body), "legs": _legs(body)}


def _first_true(cases: dict[str, Bools], otherwise: str) -> NDArray[np.str_]:
    """For each state, the name of the first case that holds."""
    return np.select(list(cases.values()), list(cases), otherwise)


def _posture(body: BodyQuantities) -> NDArray[np.str_]:
    knees = body.knee_clearance < NEAR_FLOOR
    tilted = body.uprightness < TILTED
    seat = body.clearance("butt")[:, 0]
    seated = seat < SEAT
    carried = body.pelvis_height > FEET_CARRY
    hands_down = (body.hands[..., 2] < 0.25).any(axis=1)
    sideways = body.outwards * body.leg_directions[..., 1]
    thighs_out = (body.outwards * body.thigh_directions[..., 1] > 0.35).all(axis=1)
    shins_in = (body.outwards * body.shin_directions[..., 1] < -0.2).all(axis=1)
    shins_back = (body.shin_directions[..., 0] < -0.35).all(axis=1)
    straight = (body.knee_angles > np.radians(140)).all(axis=1)
    cases = {
        "in-mid-air": body.lowest_point > AIRBORNE,
        "bowing": tilted & carried & (body.frontness < 0),
        "crawling": tilted & (body.frontness < -0.5) & (body.pelvis_height > 0.3) & hands_down,
        "lying-on-back": tilted & (body.frontness > 0.5),
        "lying-face-down": tilted & (body.frontness < -0.5),
        "lying-on-side": tilted,
        "splits": seated & straight & (sideways > 0.55).all(axis=1),
        "lotus": (seat < SEAT_ON_FEET) & thighs_out & shins_in,
        "kneeling": knees.all(axis=1) & (seat > RAISED_SEAT),
        "heel-sitting": knees.all(axis=1) & shins_back,
        "sitting": seated | knees.all(axis=1),
        "half-kneeling": knees.any(axis=1),
        "leaning": (body.uprightness < LEANING) & carried,
        "standing": body.pelvis_height > STANDING_PELVIS,
    }
    return _first_true(cases, "squatting")


def _arms(body: BodyQuantities) -> NDArray[np.str_]:
    hands = body.in_torso_frame(body.hands)
    forward, left, up = np.moveaxis(hands, -1, 0)
    out = body.outwards * left
    raised = (body.hands[..., 2] > body.head_height[:, None]) & (up > 0.2)
    on_hip = (body.hand_to_hip < 0.2) & (body.elbow_angles < np.radians(145))
    gap = np.linalg.norm(body.hands[:, 0] - body.hands[:, 1], axis=-1)
    cases = {
        "raised": raised.all(axis=1),
        "one-raised": raised.any(axis=1),
        "crossed": (body.hand_crossing > 0.02).all(axis=1) & (forward > 0).all(axis=1),
        "on-hips": on_hip.all(axis=1),
        "one-on-hip": on_hip.any(axis=1),
        "together": (gap < 0.15) & (forward > 0).all(axis=1),
        "spread": (out > 0.45).all(axis=1) & (np.abs(up) < 0.35).all(axis=1),
        "forward": (forward > 0.35).all(axis=1) & (np.abs(up) < 0.4).all(axis=1),
        "hanging": (up < -0.15).all(axis=1),
    }
    return _first_true(cases, "bent")


def _legs(body: BodyQuantities) -> NDArray[np.str_]:
    clearance = body.clearance(*FEET)
    carried = body.pelvis_height > FEET_CARRY
    lifted = (clearance.max(axis=1) > 0.1) & (clearance.min(axis=1) < 0.05) & carried
    cases = {
        "one-lifted": lifted,
        "apart": body.leg_spread > np.radians(32),
        "together": body.leg_spread < np.radians(16),
    }
    return _first_true(cases, "in-between")
