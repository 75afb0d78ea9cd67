"""Facts about humanoid states in a small closed vocabulary, for captions.

What looks like a posture but lacks one of its marks has a name of its own, such as a straddle with
a bent knee. Thresholds are close to the oracles', and on the strict side: a reward model that was
taught to be content with less would be fooled by agents. A state that fits no name, such as a
robot that is falling over, has none: its captions are about something else. What a frame does not
show, such as speed, is no fact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmrm.tasks.body import FEET, SHINS, TOUCH, UPPER_BODY, BodyQuantities, Bools, Floats
from vlmrm.tasks.poses import nudged

UNCLEAR = ""
"""Stands for a fact that a frame does not show clearly, or whose value has no name."""
AIRBORNE = 0.05
"""Height in meters of the lowest point of a body that is visibly off the floor."""
TILTED = np.cos(np.radians(45))
"""Lean of a torso, as a cosine, that is no longer upright in any sense."""
LEANING = np.cos(np.radians(33))
"""Lean of the torso, as a cosine, of a standing robot that is about to fall."""
OFF_BALANCE = 0.22
"""Horizontal distance in meters of the center of mass from the feet of a robot that must fall."""
LYING_PELVIS = 0.35
"""Height in meters of the pelvis of a robot that lies on the floor; above it, it is falling."""
CRAWLING_PELVIS = 0.3
"""Height in meters of the pelvis of a robot on its hands and knees."""
FEET_CARRY = 0.6
"""Height in meters of a pelvis that the legs carry."""
STANDING_PELVIS = 0.76
"""Height in meters of the pelvis when standing."""
SEAT = 0.15
"""Clearance in meters of a seat that is on the floor or on the shins."""
SEAT_ON_FLOOR = 0.09
"""Clearance in meters of a seat on the floor."""
SEAT_ON_FEET = 0.25
"""Clearance in meters of a seat on top of the feet."""
SEAT_ON_CROSSED_FEET = 0.17
"""Clearance in meters of a seat between or on crossed feet that lie on the floor."""
RAISED_SEAT = 0.21
"""Clearance in meters of a seat that is visibly above the heels."""
KNEES_DOWN = 0.055
"""Clearance in meters of knees on the floor."""
NEAR_FLOOR = 0.1
"""Clearance in meters of knees or legs that lie on the floor, give or take a shin's thickness."""
ABOVE_FLOOR = 0.18
"""Clearance in meters of knees that are about to touch the floor."""
STRAIGHT = np.radians(150)
"""Smallest angle of a straight knee or elbow."""
BENT = np.radians(140)
"""Largest angle of a clearly bent knee or elbow."""
LIFTED = 0.105
"""Clearance in meters of a foot that is off the floor."""
LEAN = np.radians(20)
"""Lean of a torso that is not upright any more."""
NUDGES = 6
"""Number of neighboring states."""
AGREEING = 5
"""Number of neighbors that share a fact that is clear."""
NUDGE = 0.5
"""Distance of the neighbors, in units of what is visible."""


def describe(states: Floats) -> list[dict[str, str]]:
    """The facts of each state ``[N, 47]`` that have a name."""
    return _named(_facts(states))


def describe_clearly(states: Floats) -> list[dict[str, str]]:
    """The facts of each state ``[N, 47]`` that a viewer would agree on.

    Halfway between sitting and lying, a frame shows neither. A fact is left out unless most
    neighbors of the state share it, in which joints, lean, and height differ by less than can be
    seen.
    """
    facts = _facts(states)
    agreeing = {fact: np.zeros(len(states), dtype=int) for fact in facts}
    rng = np.random.default_rng(0)
    for _ in range(NUDGES):
        for fact, values in _facts(nudged(states, rng, NUDGE)).items():
            agreeing[fact] += values == facts[fact]
    return _named(
        {fact: np.where(agreeing[fact] >= AGREEING, facts[fact], UNCLEAR) for fact in facts}
    )


def _named(facts: dict[str, NDArray[np.str_]]) -> list[dict[str, str]]:
    """The facts of each state, without those that are unclear."""
    return [
        {fact: str(value) for fact, value in zip(facts, values, strict=True) if value != UNCLEAR}
        for values in zip(*facts.values(), strict=True)
    ]


def _facts(states: Floats) -> dict[str, NDArray[np.str_]]:
    body = BodyQuantities.of(states)
    return {
        "posture": _posture(body),
        "arms": _arms(body),
        "legs": _legs(body),
        "knees": _knees(body),
        "torso": _torso(body),
    }


def _first_true(cases: dict[str, Bools], otherwise: str = UNCLEAR) -> NDArray[np.str_]:
    """For each state, the name of the first case that holds."""
    return np.select(list(cases.values()), list(cases), otherwise)


def _posture(body: BodyQuantities) -> NDArray[np.str_]:
    tilted = body.uprightness < TILTED
    seat = body.clearance("butt")[:, 0]
    carried = body.pelvis_height > FEET_CARRY
    hands_down = (body.hands[..., 2] < 0.25).any(axis=1)
    hips_up = seat > RAISED_SEAT
    knees = body.knee_clearance
    on_knee = knees < KNEES_DOWN
    near_floor = knees < NEAR_FLOOR
    foot_down = (body.clearance(*FEET) < LIFTED).any(axis=1)
    lying = tilted & (body.pelvis_height < LYING_PELVIS)
    thighs_out = body.outwards * body.thigh_directions[..., 1]
    shins_in = -body.outwards * body.shin_directions[..., 1]
    legs_out = body.outwards * body.leg_directions[..., 1]
    shins_back = (body.shin_directions[..., 0] < -0.35).all(axis=1)
    legs_down = (body.clearance(*SHINS, *FEET) < NEAR_FLOOR).all(axis=1)
    straight = (body.knee_angles > STRAIGHT).all(axis=1)
    upper_body_up = ~body.on_floor(*UPPER_BODY).any(axis=1)
    crossed = (thighs_out > 0.35).all(axis=1) & (shins_in > 0.2).all(axis=1)
    # The hips turn outwards by 60 degrees at most.
    firmly_crossed = (
        (thighs_out > 0.5).all(axis=1) & (shins_in > 0.35).all(axis=1) & (legs_out < 0).all(axis=1)
    )
    cases = {
        "in-mid-air": body.lowest_point > AIRBORNE,
        "bowing": tilted & carried & (body.frontness < 0),
        "crawling": tilted
        & (body.frontness < -0.5)
        & (body.pelvis_height > CRAWLING_PELVIS)
        & hands_down
        & near_floor.any(axis=1),
        "lying-on-back": lying & (body.frontness > 0.5),
        "lying-face-down": lying & (body.frontness < -0.5),
        "lying-on-side": lying,
        UNCLEAR: tilted,
        "splits": (seat < SEAT_ON_FLOOR) & straight & legs_down & (legs_out > 0.71).all(axis=1),
        "bent-splits": (seat < SEAT) & (legs_out > 0.5).all(axis=1),
        "lotus": (seat < SEAT_ON_CROSSED_FEET) & firmly_crossed & near_floor.all(axis=1),
        "perching": (seat < SEAT_ON_FEET) & crossed,
        "kneeling": on_knee.all(axis=1) & hips_up & upper_body_up,
        "almost-kneeling": (knees < ABOVE_FLOOR).all(axis=1) & ~on_knee.any(axis=1) & hips_up,
        "heel-sitting": near_floor.all(axis=1) & shins_back & ~hips_up,
        "sitting": (seat < SEAT) | (near_floor.all(axis=1) & ~hips_up),
        "half-kneeling": near_floor.any(axis=1) & ~on_knee.all(axis=1) & foot_down,
        "leaning": carried
        & ((body.uprightness < LEANING) | (body.imbalance_on_feet(AIRBORNE) > OFF_BALANCE)),
        "standing": body.pelvis_height > STANDING_PELVIS,
        "squatting": (body.knee_angles < STRAIGHT).any(axis=1) & ~on_knee.any(axis=1),
    }
    return _first_true(cases)


def _arms(body: BodyQuantities) -> NDArray[np.str_]:
    hands = body.in_torso_frame(body.hands)
    forward, left, up = np.moveaxis(hands, -1, 0)
    out = body.outwards * left
    above = body.hands[..., 2] - body.head_height[:, None]
    elbows_up = body.elbows[..., 2] > body.shoulders[..., 2]
    raised = (above > 0.1) & elbows_up & (up > 0.2)
    bent = body.elbow_angles < np.radians(138)
    on_hip = (body.hand_to_hip < 0.165) & bent
    gap = np.linalg.norm(body.hands[:, 0] - body.hands[:, 1], axis=-1)
    in_front = (forward > 0).all(axis=1)
    at_chest = (np.abs(up + 0.05) < 0.28).all(axis=1)
    cases = {
        "raised": raised.all(axis=1),
        "one-raised": raised.any(axis=1),
        "crossed": (body.hand_crossing > 0.055).all(axis=1) & in_front & at_chest,
        "half-raised": ((above > -0.15) & (up > 0.1)).all(axis=1),
        "on-hips": on_hip.all(axis=1),
        "one-on-hip": on_hip.any(axis=1),
        "together": (gap < 0.2) & in_front,
        "beside-hips": (body.hand_to_hip < 0.27).all(axis=1) & bent.all(axis=1),
        "spread": (out > 0.45).all(axis=1) & (np.abs(up) < 0.35).all(axis=1),
        "forward": (forward > 0.35).all(axis=1) & (np.abs(up) < 0.4).all(axis=1),
        "hanging": (up < -0.15).all(axis=1),
        "bent": (body.elbow_angles < STRAIGHT).all(axis=1),
        "one-bent": (body.elbow_angles < BENT).any(axis=1),
    }
    return _first_true(cases)


def _legs(body: BodyQuantities) -> NDArray[np.str_]:
    clearance = body.clearance(*FEET)
    carried = body.pelvis_height > STANDING_PELVIS
    one_down = carried & (clearance.min(axis=1) < TOUCH)
    cases = {
        "one-lifted": one_down & (clearance.max(axis=1) > LIFTED),
        "on-toes": one_down & (clearance.max(axis=1) > TOUCH),
        "apart": body.leg_spread > np.radians(32),
        "together": body.leg_spread < np.radians(16),
    }
    return _first_true(cases, "in-between")


def _knees(body: BodyQuantities) -> NDArray[np.str_]:
    bent = body.knee_angles < BENT
    return _first_true({"bent": bent.all(axis=1), "one-bent": bent.any(axis=1)}, "straight")


def _torso(body: BodyQuantities) -> NDArray[np.str_]:
    to_side = np.sqrt(np.clip(1 - body.uprightness**2 - body.frontness**2, 0, 1))
    cases = {
        "upright": body.uprightness > np.cos(LEAN),
        "sideways": to_side > np.abs(body.frontness),
        "forward": body.frontness < 0,
    }
    return _first_true(cases, "backward")
