"""Named quantities of humanoid states: heights, contacts, directions, distances.

Oracles and captions are computed from these quantities alone, and all of them follow from the
kinematics of a single state: no history, no frames. Pairs are always ordered (right, left). Lengths
are in meters, angles in radians, the floor is at height 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from vlmrm.envs.humanoid import humanoid_model

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

QPOS = 24
"""Entries of a state that are positions; the rest are velocities."""

TOUCH = 0.04
"""Clearance below which a part counts as touching the floor: three pixels of a 224-pixel frame."""

HANDS = ("right_hand", "left_hand")
FEET = ("right_foot", "left_foot")
SHINS = ("right_shin1", "left_shin1")
ARMS = ("right_uarm1", "left_uarm1", "right_larm", "left_larm", *HANDS)
TRUNK = ("torso1", "uwaist", "lwaist", "butt")
UPPER_BODY = (*TRUNK, "head", *ARMS)

HIP_POINT = (0.0, 0.16, 0.09)
"""Base of the left hip in the pelvis frame: on its side, between the waist and the hip joint."""


class BodyQuantities:
    """Quantities of N humanoid states, each computed for all of them on first use."""

    def __init__(
        self,
        geom_position: Floats,
        geom_axis: Floats,
        body_position: Floats,
        body_frame: Floats,
        center_of_mass: Floats,
        overlap: Floats,
        velocity: Floats,
    ):
        self._geom_position = geom_position
        self._geom_axis = geom_axis
        self._body_position = body_position
        self._body_frame = body_frame
        self.center_of_mass = center_of_mass
        """Center of mass of the whole body ``[N, 3]``."""
        self.overlap = overlap
        """Greatest depth at which two parts of the body overlap ``[N]``."""
        self.torso_velocity = velocity
        """Linear velocity of the torso ``[N, 3]`` in m/s."""

    @classmethod
    def of(cls, states: Floats) -> BodyQuantities:
        """Computes the kinematics of states ``[N, 47]`` (qpos, then qvel)."""
        states = np.atleast_2d(np.asarray(states, dtype=np.float64))
        model, data = _model_and_data()
        n = len(states)
        geom_position = np.empty((n, model.ngeom, 3))
        geom_frame = np.empty((n, model.ngeom, 9))
        body_position = np.empty((n, model.nbody, 3))
        body_frame = np.empty((n, model.nbody, 9))
        inertial_position = np.empty((n, model.nbody, 3))
        overlap = np.zeros(n)
        for i, state in enumerate(states):
            data.qpos[:] = state[:QPOS]
            mujoco.mj_kinematics(model, data)
            mujoco.mj_collision(model, data)
            geom_position[i] = data.geom_xpos
            geom_frame[i] = data.geom_xmat
            body_position[i] = data.xpos
            body_frame[i] = data.xmat
            inertial_position[i] = data.xipos
            if data.ncon:
                between_parts = np.all(data.contact.geom != _geom("floor"), axis=1)
                overlap[i] = -np.min(data.contact.dist, where=between_parts, initial=0.0)
        weight = model.body_mass / model.body_mass.sum()
        return cls(
            geom_position=geom_position,
            # Capsules lie along the third axis of their frame.
            geom_axis=geom_frame.reshape(n, model.ngeom, 3, 3)[..., 2],
            body_position=body_position,
            body_frame=body_frame.reshape(n, model.nbody, 3, 3),
            center_of_mass=np.einsum("b,nbx->nx", weight, inertial_position),
            overlap=overlap,
            velocity=states[:, QPOS : QPOS + 3],
        )

    # --- points ---------------------------------------------------------------------------------

    @cached_property
    def hands(self) -> Floats:
        """Positions ``[N, 2, 3]``."""
        return self._geom_position[:, _geoms(HANDS)]

    @cached_property
    def feet(self) -> Floats:
        """Centers of the feet ``[N, 2, 3]``."""
        return self._geom_position[:, _geoms(FEET)]

    @cached_property
    def knees(self) -> Floats:
        """Positions ``[N, 2, 3]``."""
        return self._body_position[:, _bodies(("right_shin", "left_shin"))]

    @cached_property
    def hips(self) -> Floats:
        """Positions of the hip joints ``[N, 2, 3]``."""
        return self._body_position[:, _bodies(("right_thigh", "left_thigh"))]

    @cached_property
    def elbows(self) -> Floats:
        """Positions ``[N, 2, 3]``."""
        return self._body_position[:, _bodies(("right_lower_arm", "left_lower_arm"))]

    @cached_property
    def shoulders(self) -> Floats:
        """Positions ``[N, 2, 3]``."""
        return self._body_position[:, _bodies(("right_upper_arm", "left_upper_arm"))]

    @cached_property
    def head_height(self) -> Floats:
        """Height of the head's center ``[N]``."""
        return self._geom_position[:, _geom("head"), 2]

    @cached_property
    def pelvis_height(self) -> Floats:
        """Height of the pelvis' center ``[N]``."""
        return self._body_position[:, _body("pelvis"), 2]

    # --- floor ----------------------------------------------------------------------------------

    @cached_property
    def _clearances(self) -> Floats:
        """Height of the lowest point of every part ``[N, G]``; the floor's own is infinite."""
        model, _ = _model_and_data()
        half_length = np.where(
            model.geom_type == mujoco.mjtGeom.mjGEOM_CAPSULE, model.geom_size[:, 1], 0.0
        )
        height = self._geom_position[..., 2] - np.abs(self._geom_axis[..., 2]) * half_length
        clearance: Floats = height - model.geom_size[:, 0]
        clearance[:, _geom("floor")] = np.inf
        return clearance

    def clearance(self, *parts: str) -> Floats:
        """Height of the lowest point of each part ``[N, len(parts)]``."""
        return self._clearances[:, _geoms(parts)]

    def on_floor(self, *parts: str) -> Bools:
        """Whether each part touches the floor ``[N, len(parts)]``."""
        return self.clearance(*parts) < TOUCH

    @cached_property
    def lowest_point(self) -> Floats:
        """Height of the lowest point of the body ``[N]``: positive in mid-air."""
        lowest: Floats = self._clearances.min(axis=1)
        return lowest

    @cached_property
    def knee_clearance(self) -> Floats:
        """Height of the lowest point of each knee's round end ``[N, 2]``."""
        model, _ = _model_and_data()
        clearance: Floats = self.knees[..., 2] - model.geom_size[_geoms(SHINS), 0]
        return clearance

    # --- directions -----------------------------------------------------------------------------

    @cached_property
    def uprightness(self) -> Floats:
        """Cosine of the angle between the torso and the vertical ``[N]``."""
        return self._body_frame[:, _body("torso"), 2, 2]

    @cached_property
    def frontness(self) -> Floats:
        """How much the chest points up: 1 on the back, -1 face down, 0 upright ``[N]``."""
        return self._body_frame[:, _body("torso"), 2, 0]

    @cached_property
    def facing(self) -> Floats:
        """Direction that the chest faces ``[N]``: angle about the vertical, 0 along +x."""
        forward = self._body_frame[:, _body("torso"), :, 0]
        return np.arctan2(forward[:, 1], forward[:, 0])

    def in_heading_frame(self, vectors: Floats) -> Floats:
        """World vectors ``[N, ..., 3]`` as (forward, left, up) of the robot's heading."""
        cos, sin = (f.reshape(-1, *[1] * (vectors.ndim - 2)) for f in self._cos_sin_facing)
        x, y, z = np.moveaxis(vectors, -1, 0)
        return np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=-1)

    @cached_property
    def _cos_sin_facing(self) -> tuple[Floats, Floats]:
        return np.cos(self.facing), np.sin(self.facing)

    def in_torso_frame(self, points: Floats) -> Floats:
        """World points ``[N, P, 3]`` as (forward, left, up) of the torso, from its center."""
        return self._in_frame("torso", points)

    def _in_frame(self, body: str, points: Floats) -> Floats:
        offset = points - self._body_position[:, None, _body(body)]
        local: Floats = np.einsum("nxy,npx->npy", self._body_frame[:, _body(body)], offset)
        return local

    @cached_property
    def leg_directions(self) -> Floats:
        """Unit vectors from hip to foot ``[N, 2, 3]`` in the heading frame."""
        return self.in_heading_frame(_unit(self.feet - self.hips))

    @cached_property
    def thigh_directions(self) -> Floats:
        """Unit vectors from hip to knee ``[N, 2, 3]`` in the heading frame."""
        return self.in_heading_frame(_unit(self.knees - self.hips))

    @cached_property
    def shin_directions(self) -> Floats:
        """Unit vectors from knee to foot ``[N, 2, 3]`` in the heading frame."""
        return self.in_heading_frame(_unit(self.feet - self.knees))

    @cached_property
    def outwards(self) -> Floats:
        """Sign of "outwards" along the left axis for (right, left)."""
        return np.array([-1.0, 1.0])

    # --- angles and distances -------------------------------------------------------------------

    @cached_property
    def knee_angles(self) -> Floats:
        """Angle between thigh and shin ``[N, 2]``: pi when the leg is straight."""
        return _angle(self.hips - self.knees, self.feet - self.knees)

    @cached_property
    def elbow_angles(self) -> Floats:
        """Angle between upper arm and forearm ``[N, 2]``: pi when the arm is straight."""
        return _angle(self.shoulders - self.elbows, self.hands - self.elbows)

    @cached_property
    def leg_spread(self) -> Floats:
        """Angle between the two legs, from hips to feet ``[N]``."""
        return _angle(self.leg_directions[:, 0], self.leg_directions[:, 1])

    @cached_property
    def hand_to_hip(self) -> Floats:
        """Distance of each hand from the base of the hip on its side ``[N, 2]``."""
        x, y, z = HIP_POINT
        offset = self._in_frame("pelvis", self.hands) - np.array([[x, -y, z], [x, y, z]])
        return np.linalg.norm(offset, axis=-1)

    @cached_property
    def hand_crossing(self) -> Floats:
        """How far each hand is beyond the body's middle plane, on the other side ``[N, 2]``."""
        return -self.outwards * self.in_torso_frame(self.hands)[..., 1]

    @cached_property
    def speed(self) -> Floats:
        """Speed of the torso ``[N]`` in m/s."""
        return np.linalg.norm(self.torso_velocity, axis=-1)

    def imbalance_on_feet(self, touch: float = TOUCH) -> Floats:
        """Horizontal distance of the center of mass from the feet on the floor ``[N]``.

        Args:
            touch: Clearance in meters below which a foot carries weight; without any, both count.
        """
        down = self.clearance(*FEET) < touch
        right, left = self.feet[:, 0], self.feet[:, 1]
        start = np.where(down[:, :1], right, left)
        end = np.where(down[:, 1:], left, right)
        return self.imbalance(start, end)

    def imbalance(self, start: Floats, end: Floats) -> Floats:
        """Horizontal distance of the center of mass from a line of support ``[N]``.

        Args:
            start: One end of the line ``[N, 3]``.
            end: The other end ``[N, 3]``; anywhere between the two, the body is balanced.
        """
        offset = (self.center_of_mass - start)[:, :2]
        along = (end - start)[:, :2]
        length = np.maximum(np.sum(along**2, axis=-1), 1e-12)
        share = np.clip(np.sum(offset * along, axis=-1) / length, 0, 1)
        return np.linalg.norm(offset - share[:, None] * along, axis=-1)


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit


def _angle(a: Floats, b: Floats) -> Floats:
    angle: Floats = np.arccos(np.clip(np.sum(_unit(a) * _unit(b), axis=-1), -1, 1))
    return angle


@cache
def _model_and_data() -> tuple[Any, Any]:
    model = humanoid_model()
    return model, mujoco.MjData(model)


@cache
def _geom(name: str) -> int:
    return int(_model_and_data()[0].geom(name).id)


@cache
def _body(name: str) -> int:
    return int(_model_and_data()[0].body(name).id)


def _geoms(names: Sequence[str]) -> list[int]:
    return [_geom(name) for name in names]


def _bodies(names: Sequence[str]) -> list[int]:
    return [_body(name) for name in names]
