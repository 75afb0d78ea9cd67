"""Oracles decide whether a simulator state fulfills a task.

The criteria are those of the VLM-RM paper (Rocamonde et al., ICLR 2024), in numbers.
An oracle sees one state at a time, so it excludes whatever could fake success in a single frame:
being in mid-air, falling (speed, balance), parts inside each other or inside the floor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import EnvironmentName
from vlmrm.data.states import States
from vlmrm.envs.cartpole import MAX_CART_POSITION, MAX_POLE_ANGLE
from vlmrm.envs.mountain_car import GOAL_POSITION
from vlmrm.tasks.body import FEET, TOUCH, UPPER_BODY, BodyQuantities, Bools, Floats

MAX_SPEED = 1.5
"""Torso speed in m/s: a brisk walk. A robot that falls over from standing exceeds it halfway."""
MAX_OVERLAP = 0.05
"""Depth in meters to which parts may overlap each other or the floor. Contacts are soft and poses
approximate, but a limb (radius 0.03 to 0.06) that passes through another overlaps it more."""
MAX_IMBALANCE = 0.25
"""Horizontal distance in meters of the center of mass from the line of support: a lean of 15
degrees when standing, from which a body without ankles cannot recover."""

UPRIGHT = np.cos(np.radians(35))
"""Lean of the torso when standing, as a cosine: a bow is not standing."""
UPRIGHT_ON_FLOOR = np.cos(np.radians(45))
"""Lean of the torso when kneeling or sitting, as a cosine: leaning freely, but not lying."""
STANDING_PELVIS = 0.75
"""Height in meters; 0.87 with straight legs. Knees bent by more than 60 degrees are a squat."""
LIFTED = 0.1
"""Clearance in meters of a foot that is clearly not on the floor: seven pixels of a 224-pixel
frame, and more than a shuffling step has."""

RAISED_HAND = 0.1
"""Height in meters of raised hands above the center of the head, which has a radius of 0.09."""
NEAR_HIP = 0.17
"""Distance in meters of a hand from the base of the hip. The hand itself has a radius of 0.04, and
the chest is 0.4 away."""
AKIMBO_ELBOW = np.radians(140)
"""Largest angle of the elbow with a hand on the hip; straighter arms hang down beside it."""
CROSSED = 0.05
"""Distance in meters of each hand beyond the middle of the body: hands that touch each other or
are folded together stay within it (radius 0.04)."""
CHEST = -0.05
"""Height in meters above the torso's center around which crossed forearms lie."""
CHEST_REACH = 0.3
"""Distance in meters from there to the chin and to the waist: arms that are crossed higher or
lower do not count."""

SEATED = 0.1
"""Clearance in meters of a seat on the floor, or on something as thin as the shins."""
SEATED_ON_FEET = 0.18
"""Clearance in meters of a seat on the floor or on the feet (height 0.15). The hips turn outwards
by 60 degrees at most, so in the lotus position the feet end up under the body."""
RAISED_SEAT = 0.2
"""Clearance in meters of a seat that the thighs carry: with air above the feet, which are 0.15
high."""
KNEE_DOWN = 0.06
"""Clearance in meters of knees that look as if they were on the floor: little more than a shin's
radius (0.05). People who label frames draw the line at about the same clearance."""
LOW_KNEE = 0.1
"""Clearance in meters of knees on the floor in the lotus position, the thickness of a shin: the
lower the seat, the higher the hip joints hold the knees."""
KNEES_OUT = np.sin(np.radians(30))
"""Sideways component of the thighs' directions in the lotus position."""
SHINS_IN = np.sin(np.radians(20))
"""Inward component of the shins' directions in the lotus position."""
STRETCHED = np.radians(150)
"""Smallest angle of a knee that looks straight."""
LEG_TO_SIDE = np.sin(np.radians(45))
"""Sideways component of each leg's direction in the side splits: more to the side than to the
front. The hip joints allow at most 64 degrees."""
LYING_LEG = 0.1
"""Clearance in meters of the knees and feet of legs that lie on the floor."""


@dataclass(frozen=True)
class Oracle:
    """The oracle of one task.

    Attributes:
        environment: Name of the environment whose states it judges.
        judge: States float64 ``[N, D]`` to bool ``[N]``.
        quorum: Share of timesteps that a successful trajectory fulfills; 0 means at least one.
    """

    environment: EnvironmentName
    judge: Callable[[Floats], Bools]
    quorum: float = 0.5

    def __call__(self, states: Floats) -> Bools:
        """Whether each state float64 ``[N, D]`` fulfills the task: bool ``[N]``."""
        return self.judge(states)

    def trajectory_success(self, satisfied: NDArray[np.bool_]) -> bool:
        """Whether a trajectory with these verdicts, bool ``[T]``, is a success."""
        if not len(satisfied):
            return False
        return bool(satisfied.any() and satisfied.mean() >= self.quorum)


def cartpole(states: Floats) -> Bools:
    """The pole is upright and the cart on its track."""
    x, theta = states[:, 0], states[:, 2]
    return (np.abs(theta) <= MAX_POLE_ANGLE) & (np.abs(x) <= MAX_CART_POSITION)


def mountain_car(states: Floats) -> Bools:
    """The car is at the flag."""
    return states[:, 0] >= GOAL_POSITION


def plausible(body: BodyQuantities) -> Bools:
    """On the floor, without large overlaps, and not falling."""
    return (
        (body.lowest_point < TOUCH)
        & (body.lowest_point > -MAX_OVERLAP)
        & (body.overlap < MAX_OVERLAP)
        & (body.speed < MAX_SPEED)
    )


def kneeling(body: BodyQuantities) -> Bools:
    """Both knees on the floor, carried by the thighs, balanced; not sitting back on the heels."""
    return (
        plausible(body)
        & (body.knee_clearance < KNEE_DOWN).all(axis=1)
        & (body.clearance("butt")[:, 0] > RAISED_SEAT)
        & ~body.on_floor(*UPPER_BODY).any(axis=1)
        & (body.uprightness > UPRIGHT_ON_FLOOR)
        & (body.imbalance(body.knees.mean(axis=1), body.feet.mean(axis=1)) < MAX_IMBALANCE)
    )


def lotus(body: BodyQuantities) -> Bools:
    """Seated, both knees on the floor and facing outwards, feet inwards."""
    thighs_out = body.outwards * body.thigh_directions[..., 1]
    shins_out = body.outwards * body.shin_directions[..., 1]
    feet_out = body.outwards * body.leg_directions[..., 1]
    return (
        plausible(body)
        & (body.clearance("butt")[:, 0] < SEATED_ON_FEET)
        & (body.uprightness > UPRIGHT_ON_FLOOR)
        & (body.knee_clearance < LOW_KNEE).all(axis=1)
        & (thighs_out > KNEES_OUT).all(axis=1)
        & (shins_out < -SHINS_IN).all(axis=1)
        & (feet_out < 0).all(axis=1)
    )


def standing(body: BodyQuantities) -> Bools:
    """Upright on one foot or both, without falling."""
    return (
        plausible(body)
        & body.on_floor(*FEET).any(axis=1)
        & (body.pelvis_height > STANDING_PELVIS)
        & (body.uprightness > UPRIGHT)
        & (body.imbalance_on_feet() < MAX_IMBALANCE)
    )


def arms_raised(body: BodyQuantities) -> Bools:
    """Standing, both hands above the head and both elbows above the shoulders."""
    hands_up = body.hands[..., 2] > body.head_height[:, None] + RAISED_HAND
    elbows_up = body.elbows[..., 2] > body.shoulders[..., 2]
    return standing(body) & (hands_up & elbows_up).all(axis=1)


def splits(body: BodyQuantities) -> Bools:
    """Sitting on the floor, stretched legs lying on it, one to each side."""
    legs_out = body.outwards * body.leg_directions[..., 1]
    legs = ("right_shin1", "left_shin1", *FEET)
    return (
        plausible(body)
        & (body.clearance("butt")[:, 0] < SEATED)
        & (body.uprightness > UPRIGHT_ON_FLOOR)
        & (body.clearance(*legs) < LYING_LEG).all(axis=1)
        & (body.knee_angles > STRETCHED).all(axis=1)
        & (legs_out > LEG_TO_SIDE).all(axis=1)
    )


def hands_on_hips(body: BodyQuantities) -> Bools:
    """Standing, each hand at the base of the hip on its side, with bent elbows."""
    akimbo = (body.hand_to_hip < NEAR_HIP) & (body.elbow_angles < AKIMBO_ELBOW)
    return standing(body) & akimbo.all(axis=1)


def arms_crossed(body: BodyQuantities) -> Bools:
    """Standing, each hand on the other side of the body, in front of the trunk."""
    hands = body.in_torso_frame(body.hands)
    in_front = (hands[..., 0] > 0) & (np.abs(hands[..., 2] - CHEST) < CHEST_REACH)
    return standing(body) & ((body.hand_crossing > CROSSED) & in_front).all(axis=1)


def one_leg(body: BodyQuantities) -> Bools:
    """Standing with exactly one foot on the floor and the other clearly lifted."""
    stands = body.on_floor(*FEET)
    lifted = body.clearance(*FEET) > LIFTED
    return standing(body) & (stands[:, ::-1] & lifted).any(axis=1)


def _humanoid(judge: Callable[[BodyQuantities], Bools]) -> Oracle:
    return Oracle("humanoid", lambda states: judge(BodyQuantities.of(states)))


ORACLES: dict[str, Oracle] = {
    "cartpole": Oracle("cartpole", cartpole),
    "mountain-car": Oracle("mountain-car", mountain_car, quorum=0.0),
    "kneeling": _humanoid(kneeling),
    "lotus": _humanoid(lotus),
    "standing": _humanoid(standing),
    "arms-raised": _humanoid(arms_raised),
    "splits": _humanoid(splits),
    "hands-on-hips": _humanoid(hands_on_hips),
    "arms-crossed": _humanoid(arms_crossed),
    "one-leg": _humanoid(one_leg),
}
"""The oracles that tasks can name in the configuration."""


def labeled(
    environment: EnvironmentName,
    values: Floats,
    columns: Mapping[str, NDArray[Any]] | None = None,
) -> States:
    """A set of states ``[N, D]``, labeled by all oracles of the environment."""
    labels = {
        name: oracle(values)
        for name, oracle in ORACLES.items()
        if oracle.environment == environment
    }
    return States(environment, values, dict(columns or {}), labels)
