"""Facts about humanoid states in a small closed vocabulary, for captions.

What looks like a posture but lacks one of its marks has a name of its own, such as a straddle with
a bent knee. Thresholds are close to the oracles', and on the strict side: a reward model that was
taught to be content with less would be fooled by agents. What a frame does not show, such as speed,
is no fact.

Each value of a fact has criteria with margins, as the oracles have (`vlmrm.tasks.oracles`).
"""

from __future__ import annotations

import numpy as np

from vlmrm.tasks.body import FEET, SHINS, TOUCH, UPPER_BODY, BodyQuantities, Floats
from vlmrm.tasks.oracles import (
    ANGLE,
    COSINE,
    DISTANCE,
    HEIGHT,
    above,
    below,
    either,
    every,
)

Margins = dict[str, Floats]
"""For each value of a fact, the margins ``[N, C]`` of its criteria: all >= 0 if it holds."""

AIRBORNE = 0.05
"""Height in meters of the lowest point of a body that is visibly off the floor."""
TILTED = np.cos(np.radians(45))
"""Lean of a torso, as a cosine, that is no longer upright in any sense."""
LEANING = np.cos(np.radians(33))
"""Lean of the torso, as a cosine, of a standing robot that is about to fall."""
OFF_BALANCE = 0.22
"""Horizontal distance in meters of the center of mass from the feet of a robot that must fall."""
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
"""Smallest angle of a straight knee."""
BENT = np.radians(140)
"""Largest angle of a clearly bent knee."""
LIFTED = 0.105
"""Clearance in meters of a foot that is off the floor."""
LEAN = np.radians(20)
"""Lean of a torso that is not upright any more."""


def humanoid_margins(states: Floats) -> dict[str, Margins]:
    """The margins of every value of each fact, for states ``[N, 47]``."""
    body = BodyQuantities.of(states)
    return {
        "posture": _posture(body),
        "arms": _arms(body),
        "legs": _legs(body),
        "knees": _knees(body),
        "torso": _torso(body),
    }


def _first(cases: Margins, otherwise: str) -> Margins:
    """Values of which the first that holds is true: the others ask that none before them holds."""
    margins: Margins = {}
    none_before = np.empty((len(next(iter(cases.values()))), 0))
    for value, criteria in cases.items():
        margins[value] = np.hstack([criteria, none_before])
        none_before = np.hstack([none_before, -every(criteria)])
    margins[otherwise] = none_before
    return margins


def _posture(body: BodyQuantities) -> Margins:
    tilted = below(body.uprightness, TILTED, COSINE)
    seat = body.clearance("butt")
    raised_seat = above(seat, RAISED_SEAT, HEIGHT)
    carried = above(body.pelvis_height, FEET_CARRY, HEIGHT)
    knees_down = below(body.knee_clearance, NEAR_FLOOR, HEIGHT)
    thighs_out = body.outwards * body.thigh_directions[..., 1]
    shins_in = -body.outwards * body.shin_directions[..., 1]
    legs_out = body.outwards * body.leg_directions[..., 1]
    cases = {
        "in-mid-air": above(body.lowest_point, AIRBORNE, HEIGHT),
        "bowing": np.hstack([tilted, carried, below(body.frontness, 0, COSINE)]),
        "crawling": np.hstack(
            [
                tilted,
                below(body.frontness, -0.5, COSINE),
                above(body.pelvis_height, 0.3, HEIGHT),
                either(below(body.hands[..., 2], 0.25, HEIGHT)),
            ]
        ),
        "lying-on-back": np.hstack([tilted, above(body.frontness, 0.5, COSINE)]),
        "lying-face-down": np.hstack([tilted, below(body.frontness, -0.5, COSINE)]),
        "lying-on-side": tilted,
        "splits": np.hstack(
            [
                below(seat, SEAT_ON_FLOOR, HEIGHT),
                above(body.knee_angles, STRAIGHT, ANGLE),
                below(body.clearance(*SHINS, *FEET), NEAR_FLOOR, HEIGHT),
                above(legs_out, 0.71, COSINE),
            ]
        ),
        "bent-splits": np.hstack([below(seat, SEAT, HEIGHT), above(legs_out, 0.5, COSINE)]),
        # The hips turn outwards by 60 degrees at most.
        "lotus": np.hstack(
            [
                below(seat, SEAT_ON_CROSSED_FEET, HEIGHT),
                above(thighs_out, 0.5, COSINE),
                above(shins_in, 0.35, COSINE),
                below(legs_out, 0, COSINE),
                knees_down,
            ]
        ),
        "perching": np.hstack(
            [
                below(seat, SEAT_ON_FEET, HEIGHT),
                above(thighs_out, 0.35, COSINE),
                above(shins_in, 0.2, COSINE),
            ]
        ),
        "kneeling": np.hstack(
            [
                below(body.knee_clearance, KNEES_DOWN, HEIGHT),
                raised_seat,
                every(above(body.clearance(*UPPER_BODY), TOUCH, HEIGHT)),
            ]
        ),
        "almost-kneeling": np.hstack(
            [below(body.knee_clearance, ABOVE_FLOOR, HEIGHT), raised_seat]
        ),
        "heel-sitting": np.hstack([knees_down, below(body.shin_directions[..., 0], -0.35, COSINE)]),
        "sitting": either(np.hstack([below(seat, SEAT, HEIGHT), every(knees_down)])),
        "half-kneeling": either(knees_down),
        "leaning": np.hstack(
            [
                carried,
                either(
                    np.hstack(
                        [
                            below(body.uprightness, LEANING, COSINE),
                            above(body.imbalance_on_feet(AIRBORNE), OFF_BALANCE, DISTANCE),
                        ]
                    )
                ),
            ]
        ),
        "standing": above(body.pelvis_height, STANDING_PELVIS, HEIGHT),
    }
    return _first(cases, "squatting")


def _arms(body: BodyQuantities) -> Margins:
    forward, left, up = np.moveaxis(body.in_torso_frame(body.hands), -1, 0)
    above_head = body.hands[..., 2] - body.head_height[:, None]
    elbows_up = body.elbows[..., 2] - body.shoulders[..., 2]
    raised = [
        above(above_head, 0.1, HEIGHT),
        above(elbows_up, 0, HEIGHT),
        above(up, 0.2, DISTANCE),
    ]
    bent = below(body.elbow_angles, np.radians(138), ANGLE)
    on_hip = below(body.hand_to_hip, 0.165, DISTANCE)
    gap = np.linalg.norm(body.hands[:, 0] - body.hands[:, 1], axis=-1)
    in_front = above(forward, 0, DISTANCE)
    cases = {
        "raised": np.hstack(raised),
        "one-raised": either(np.minimum.reduce(raised)),
        "crossed": np.hstack(
            [
                above(body.hand_crossing, 0.055, DISTANCE),
                in_front,
                below(np.abs(up + 0.05), 0.28, DISTANCE),
            ]
        ),
        "half-raised": np.hstack([above(above_head, -0.15, HEIGHT), above(up, 0.1, DISTANCE)]),
        "on-hips": np.hstack([on_hip, bent]),
        "one-on-hip": either(np.minimum(on_hip, bent)),
        "together": np.hstack([below(gap, 0.2, DISTANCE), in_front]),
        "beside-hips": np.hstack([below(body.hand_to_hip, 0.27, DISTANCE), bent]),
        "spread": np.hstack(
            [above(body.outwards * left, 0.45, DISTANCE), below(np.abs(up), 0.35, DISTANCE)]
        ),
        "forward": np.hstack([above(forward, 0.35, DISTANCE), below(np.abs(up), 0.4, DISTANCE)]),
        "hanging": below(up, -0.15, DISTANCE),
    }
    return _first(cases, "bent")


def _legs(body: BodyQuantities) -> Margins:
    clearance = body.clearance(*FEET)
    one_down = np.hstack(
        [
            above(body.pelvis_height, STANDING_PELVIS, HEIGHT),
            below(clearance.min(axis=1), TOUCH, HEIGHT),
        ]
    )
    higher_foot = clearance.max(axis=1)
    cases = {
        "one-lifted": np.hstack([one_down, above(higher_foot, LIFTED, LIFTED)]),
        "on-toes": np.hstack([one_down, above(higher_foot, TOUCH, LIFTED)]),
        "apart": above(body.leg_spread, np.radians(32), ANGLE),
        "together": below(body.leg_spread, np.radians(16), ANGLE),
    }
    return _first(cases, "in-between")


def _knees(body: BodyQuantities) -> Margins:
    bent = below(body.knee_angles, BENT, ANGLE)
    return _first({"bent": bent, "one-bent": either(bent)}, "straight")


def _torso(body: BodyQuantities) -> Margins:
    to_side = np.sqrt(np.clip(1 - body.uprightness**2 - body.frontness**2, 0, 1))
    cases = {
        "upright": above(body.uprightness, np.cos(LEAN), COSINE),
        "sideways": above(to_side - np.abs(body.frontness), 0, COSINE),
        "forward": below(body.frontness, 0, COSINE),
    }
    return _first(cases, "backward")
