"""Oracles decide whether a simulator state fulfills a task.

The criteria are those of the VLM-RM paper (Rocamonde et al., ICLR 2024), in numbers.
An oracle sees one state at a time, so it excludes whatever could fake success in a single frame:
being in mid-air, falling (speed, balance), parts inside each other or inside the floor.

Each criterion is a margin: how far a quantity is on the right side of its limit, in units of a
distance at which a state is clearly wrong. Verdicts and scores follow from the same margins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import SCENES, Environment, EnvironmentName
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

HEIGHT, DISTANCE, COSINE, ANGLE = 0.3, 0.3, 0.5, np.radians(60)
"""Units of margins: a state that misses a limit by as much is clearly wrong."""


@dataclass(frozen=True)
class Oracle:
    """The oracle of one task.

    Attributes:
        environment: Name of the environment whose states it judges; None for environments of the
            user's own.
        margins: States float64 ``[N, D]`` to the margins of the C criteria ``[N, C]``. A criterion
            holds where its margin is not negative.
        quorum: Share of timesteps that a successful trajectory fulfills; 0 means at least one.
    """

    environment: EnvironmentName | None
    margins: Callable[[Floats], Floats]
    quorum: float = 0.5

    def __call__(self, states: Floats) -> Bools:
        """Whether each state float64 ``[N, D]`` fulfills the task: bool ``[N]``."""
        return np.all(self.margins(states) >= 0, axis=1)

    def score(self, states: Floats) -> Floats:
        """How close each state float64 ``[N, D]`` is to fulfilling the task: ``[N]`` in (0, 1].

        ``1 / (1 + d)``, where ``d`` is the Euclidean norm of the negative margins; 1 exactly where
        the task is fulfilled.
        """
        distance: Floats = np.linalg.norm(np.minimum(self.margins(states), 0), axis=1)
        return 1 / (1 + distance)

    def trajectory_success(self, satisfied: NDArray[np.bool_]) -> bool:
        """Whether a trajectory with these verdicts, bool ``[T]``, is a success."""
        if not len(satisfied):
            return False
        return bool(satisfied.any() and satisfied.mean() >= self.quorum)


def below(values: Floats, limit: float, unit: float) -> Floats:
    """Margins ``[N, K]`` of values ``[N]`` or ``[N, K]`` that must not exceed a limit."""
    return (limit - values.reshape(len(values), -1)) / unit


def above(values: Floats, limit: float, unit: float) -> Floats:
    """Margins ``[N, K]`` of values ``[N]`` or ``[N, K]`` that must reach a limit."""
    return -below(values, limit, unit)


def every(margins: Floats) -> Floats:
    """Margin ``[N, 1]`` of one criterion that asks for all of ``[N, K]``."""
    return margins.min(axis=1, keepdims=True)


def either(margins: Floats) -> Floats:
    """Margin ``[N, 1]`` of one criterion that asks for any of ``[N, K]``."""
    return margins.max(axis=1, keepdims=True)


def cartpole(states: Floats) -> Floats:
    """The pole is upright and the cart on its track."""
    x, theta = np.abs(states[:, 0]), np.abs(states[:, 2])
    return np.hstack([below(theta, MAX_POLE_ANGLE, MAX_POLE_ANGLE), below(x, MAX_CART_POSITION, 1)])


def mountain_car(states: Floats) -> Floats:
    """The car is at the flag."""
    return above(states[:, 0], GOAL_POSITION, 1)


def plausible(body: BodyQuantities) -> Floats:
    """On the floor, without large overlaps, and not falling."""
    return np.hstack(
        [
            below(body.lowest_point, TOUCH, HEIGHT),
            above(body.lowest_point, -MAX_OVERLAP, MAX_OVERLAP),
            below(body.overlap, MAX_OVERLAP, MAX_OVERLAP),
            below(body.speed, MAX_SPEED, MAX_SPEED),
        ]
    )


def kneeling(body: BodyQuantities) -> Floats:
    """Both knees on the floor, carried by the thighs, balanced; not sitting back on the heels."""
    imbalance = body.imbalance(body.knees.mean(axis=1), body.feet.mean(axis=1))
    return np.hstack(
        [
            plausible(body),
            below(body.knee_clearance, KNEE_DOWN, HEIGHT),
            above(body.clearance("butt"), RAISED_SEAT, HEIGHT),
            every(above(body.clearance(*UPPER_BODY), TOUCH, HEIGHT)),
            above(body.uprightness, UPRIGHT_ON_FLOOR, COSINE),
            below(imbalance, MAX_IMBALANCE, DISTANCE),
        ]
    )


def lotus(body: BodyQuantities) -> Floats:
    """Seated, both knees on the floor and facing outwards, feet inwards."""
    return np.hstack(
        [
            plausible(body),
            below(body.clearance("butt"), SEATED_ON_FEET, HEIGHT),
            above(body.uprightness, UPRIGHT_ON_FLOOR, COSINE),
            below(body.knee_clearance, LOW_KNEE, HEIGHT),
            above(body.outwards * body.thigh_directions[..., 1], KNEES_OUT, COSINE),
            below(body.outwards * body.shin_directions[..., 1], -SHINS_IN, COSINE),
            below(body.outwards * body.leg_directions[..., 1], 0, COSINE),
        ]
    )


def standing(body: BodyQuantities) -> Floats:
    """Upright on one foot or both, without falling."""
    return np.hstack(
        [
            plausible(body),
            either(below(body.clearance(*FEET), TOUCH, HEIGHT)),
            above(body.pelvis_height, STANDING_PELVIS, HEIGHT),
            above(body.uprightness, UPRIGHT, COSINE),
            below(body.imbalance_on_feet(), MAX_IMBALANCE, DISTANCE),
        ]
    )


def arms_raised(body: BodyQuantities) -> Floats:
    """Standing, both hands above the head and both elbows above the shoulders."""
    return np.hstack(
        [
            standing(body),
            above(body.hands[..., 2] - body.head_height[:, None], RAISED_HAND, HEIGHT),
            above(body.elbows[..., 2] - body.shoulders[..., 2], 0, HEIGHT),
        ]
    )


def splits(body: BodyQuantities) -> Floats:
    """Sitting on the floor, stretched legs lying on it, one to each side."""
    legs = ("right_shin1", "left_shin1", *FEET)
    return np.hstack(
        [
            plausible(body),
            below(body.clearance("butt"), SEATED, HEIGHT),
            above(body.uprightness, UPRIGHT_ON_FLOOR, COSINE),
            below(body.clearance(*legs), LYING_LEG, HEIGHT),
            above(body.knee_angles, STRETCHED, ANGLE),
            above(body.outwards * body.leg_directions[..., 1], LEG_TO_SIDE, COSINE),
        ]
    )


def hands_on_hips(body: BodyQuantities) -> Floats:
    """Standing, each hand at the base of the hip on its side, with bent elbows."""
    return np.hstack(
        [
            standing(body),
            below(body.hand_to_hip, NEAR_HIP, DISTANCE),
            below(body.elbow_angles, AKIMBO_ELBOW, ANGLE),
        ]
    )


def arms_crossed(body: BodyQuantities) -> Floats:
    """Standing, each hand on the other side of the body, in front of the trunk."""
    hands = body.in_torso_frame(body.hands)
    return np.hstack(
        [
            standing(body),
            above(body.hand_crossing, CROSSED, DISTANCE),
            above(hands[..., 0], 0, DISTANCE),
            below(np.abs(hands[..., 2] - CHEST), CHEST_REACH, DISTANCE),
        ]
    )


def one_leg(body: BodyQuantities) -> Floats:
    """Standing with exactly one foot on the floor and the other clearly lifted."""
    clearance = body.clearance(*FEET)
    stands, lifted = below(clearance, TOUCH, HEIGHT), above(clearance, LIFTED, LIFTED)
    return np.hstack([standing(body), either(np.minimum(stands[:, ::-1], lifted))])


def _humanoid(margins: Callable[[BodyQuantities], Floats]) -> Oracle:
    return Oracle("humanoid", lambda states: margins(BodyQuantities.of(states)))


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
    "success": Oracle(None, lambda states: states[:, -1:] - 0.5, quorum=0.0),
}
"""The oracles that tasks can name in the configuration. `success` is the verdict of an environment
of the user's own, the last entry of its states."""


def find_oracle(name: str, own: Environment | None) -> Oracle:
    """An oracle by its name, with the quorum of the user's own environment if it judges that."""
    return replace(ORACLES[name], quorum=own.quorum) if own else ORACLES[name]


def labeled(
    environment: str,
    values: Floats,
    columns: Mapping[str, NDArray[Any]] | None = None,
) -> States:
    """A set of states ``[N, D]``, labeled by all oracles of the environment."""
    judged = environment if environment in SCENES else None
    labels = {
        name: oracle(values) for name, oracle in ORACLES.items() if oracle.environment == judged
    }
    return States(environment, values, dict(columns or {}), labels)
