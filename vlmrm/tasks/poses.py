"""The humanoid's pose library, and operations on poses.

`poses.yaml` lists joint angles, from which this module makes states that touch the floor.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from vlmrm.config import read_yaml
from vlmrm.envs.humanoid import HumanoidEnv, humanoid_model
from vlmrm.tasks.body import QPOS, BodyQuantities, Floats

LIBRARY = Path(__file__).with_name("poses.yaml")

JOINTS: tuple[str, ...] = HumanoidEnv.state_names[7:QPOS]
"""The joints in the order of a state."""

ODD_JOINTS = ("abdomen_z", "abdomen_x", "shoulder1", "shoulder2")
"""Joints whose angle changes sign when mirrored; the other axes are mirror images already."""

SETTLING_TIME = 0.25
"""Seconds in which a pose comes to rest on the floor, before an unbalanced one tips over."""
STIFFNESS, DAMPING = 400.0, 40.0
"""Springs (Nm/rad) and dampers (Nms/rad) that hold the joints while a pose settles."""
MID_AIR = 0.1
"""Height in meters above which a pose is in mid-air by design, and does not settle."""
JOINT_NOISE = np.radians(5)
"""Standard deviation of perturbed joint angles."""
TILT_NOISE = np.radians(4)
"""Standard deviation of the torso's lean, about each horizontal axis."""
JOINT_NUDGE = np.radians(3)
"""Standard deviation of a neighbor's joint angles, and of its lean: the least that is visible."""
HEIGHT_NUDGE = 0.015
"""Standard deviation in meters of a neighbor's height, one pixel of 224."""


@dataclass(frozen=True, eq=False)
class Pose:
    """A pose of the library, which some tasks accept and others must reject.

    Attributes:
        posture, arms, legs: Its facts, in the vocabulary of `vlmrm.pretraining.facts`.
        tasks: The tasks that accept it.
        near: The tasks that must reject it although it looks similar (hard negatives).
        state: State vector ``[47]``, settled on the floor, facing the camera.
    """

    posture: str
    arms: str
    legs: str
    tasks: tuple[str, ...]
    near: tuple[str, ...]
    state: Floats


@cache
def pose_library() -> dict[str, Pose]:
    """The poses that `poses.yaml` lists for the tasks, by name ("stance, arms")."""
    content = _content()
    roles: dict[str, dict[str, list[str]]] = {}
    for task, groups in content["tasks"].items():
        for role, entries in groups.items():
            for stance, all_arms in entries.items():
                for arms in all_arms:
                    pose = roles.setdefault(f"{stance}, {arms}", {"poses": [], "near": []})
                    pose[role].append(task)
    states = settled(np.stack([combinations()[name] for name in roles]))
    library = {}
    for (name, role), state in zip(roles.items(), states, strict=True):
        stance, arms = name.split(", ")
        library[name] = Pose(
            posture=content["stances"][stance]["posture"],
            arms=content["arms"][arms]["arms"],
            legs=content["stances"][stance]["legs"],
            tasks=tuple(role["poses"]),
            near=tuple(role["near"]),
            state=state,
        )
    return library


@cache
def combinations() -> dict[str, Floats]:
    """States of every stance with every position of the arms, by name ("stance, arms")."""
    content = _content()
    return {
        f"{name}, {arms_name}": _combined(stance, arms)
        for name, stance in content["stances"].items()
        for arms_name, arms in content["arms"].items()
    }


def _combined(stance: dict[str, Any], arms: dict[str, Any]) -> Floats:
    joints = {**stance["joints"], **arms["joints"]}
    state = pose_state(joints, stance.get("pitch", 0), stance.get("roll", 0))
    state[2] += stance.get("lift", 0)
    return state


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(LIBRARY)
    return content


def pose_state(joints: Mapping[str, float], pitch: float = 0, roll: float = 0) -> Floats:
    """The state ``[47]`` with these joint angles, at rest on the floor.

    Args:
        joints: Joint name to angle in degrees. A name without ``right_`` or ``left_`` means
            both sides: the angle of the right side, and its mirror image on the left.
        pitch: Lean of the torso to the front in degrees.
        roll: Lean of the torso to its right in degrees.
    """
    state = np.zeros(QPOS + 23)
    angles = dict(_sided(joints))
    state[7:QPOS] = np.radians([angles.get(name, 0.0) for name in JOINTS])
    state[3:7] = _product(_rotation("y", np.radians(pitch)), _rotation("x", np.radians(roll)))
    return on_floor(state[None])[0]


def _sided(joints: Mapping[str, float]) -> list[tuple[str, float]]:
    """Expands angles for both sides; they come first, so that angles for one side override them."""
    both, single = [], []
    for name, angle in joints.items():
        if name in JOINTS:
            single.append((name, angle))
            continue
        sign = -1 if name in ODD_JOINTS else 1
        both += [(f"right_{name}", angle), (f"left_{name}", sign * angle)]
    return both + single


def on_floor(states: Floats) -> Floats:
    """Raises or lowers the states ``[N, 47]`` so that each touches the floor."""
    states = states.copy()
    states[:, 2] -= BodyQuantities.of(states).lowest_point
    return states


def settled(states: Floats) -> Floats:
    """The states ``[N, 47]`` after `SETTLING_TIME` under gravity, with springs at their joints.

    States in mid-air stay as they are.
    """
    model = copy.copy(humanoid_model())
    model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    model.jnt_stiffness[1:] = STIFFNESS
    model.dof_damping[6:] = DAMPING
    data = mujoco.MjData(model)
    result = on_floor(states)
    in_the_air = states[:, 2] - result[:, 2] > MID_AIR
    result[in_the_air] = states[in_the_air]
    for i in np.flatnonzero(~in_the_air):
        mujoco.mj_resetData(model, data)
        data.qpos[:], data.qvel[:] = np.split(result[i], [QPOS])
        model.qpos_spring[7:] = data.qpos[7:]
        mujoco.mj_step(model, data, nstep=round(SETTLING_TIME / model.opt.timestep))
        result[i] = np.concatenate([data.qpos, data.qvel])
    return result


def between(first: Floats, second: Floats, share: Floats) -> Floats:
    """Interpolates linearly between pairs of states, and puts the results on the floor.

    Args:
        first: States ``[N, 47]``, or ``[1, 47]`` for all.
        second: Other states, of the same shape.
        share: Weight of the second state, ``[N]`` in [0, 1].
    """
    states = (1 - share[:, None]) * first + share[:, None] * second
    states[:, 3:7] /= np.linalg.norm(states[:, 3:7], axis=1, keepdims=True)
    return on_floor(states)


def turned(states: Floats, yaw: NDArray[np.float64] | float) -> Floats:
    """Turns the states ``[N, 47]`` on the spot by ``yaw`` (radians, ``[N]`` or one for all)."""
    states = states.copy()
    yaw = np.broadcast_to(yaw, len(states))
    states[:, 3:7] = _product(_rotation("z", yaw), states[:, 3:7])
    cos, sin = np.cos(yaw), np.sin(yaw)
    # Linear velocities are in the world frame, angular ones in the body's own.
    vx, vy = states[:, QPOS].copy(), states[:, QPOS + 1].copy()
    states[:, QPOS], states[:, QPOS + 1] = cos * vx - sin * vy, sin * vx + cos * vy
    return states


def tilted(states: Floats, roll: Floats, pitch: Floats) -> Floats:
    """Tilts the states ``[N, 47]`` about the body's own axes (radians, ``[N]``)."""
    states = states.copy()
    lean = _product(_rotation("x", roll), _rotation("y", pitch))
    states[:, 3:7] = _product(states[:, 3:7], lean)
    return states


def mirrored(states: Floats) -> Floats:
    """Reflects the states ``[N, 47]`` in the plane y = 0, which swaps left and right."""
    order, sign = _mirror()
    result: Floats = states[:, order] * sign
    return result


@cache
def _mirror() -> tuple[NDArray[np.intp], Floats]:
    """Where each entry of a mirrored state comes from, and its sign."""
    swap = {"right": "left", "left": "right"}
    order, sign = [], []
    for name in JOINTS:
        side, _, rest = name.partition("_")
        order.append(JOINTS.index(f"{swap[side]}_{rest}" if side in swap else name))
        sign.append(-1.0 if (rest if side in swap else name) in ODD_JOINTS else 1.0)
    joints = np.array(order)
    # Position and velocity change sign along y, and rotations about x and z.
    return (
        np.concatenate([np.arange(7), 7 + joints, QPOS + np.arange(6), QPOS + 6 + joints]),
        np.array([1, -1, 1, 1, -1, 1, -1, *sign, 1, -1, 1, -1, 1, -1, *sign]),
    )


def perturbed(states: Floats, rng: np.random.Generator, noise: float = 1.0) -> Floats:
    """Adds noise to the joints (within their limits) and the lean, and settles on the floor.

    Half of the states ``[N, 47]`` are mirrored. ``noise`` multiplies `JOINT_NOISE` and
    `TILT_NOISE`.
    """
    n = len(states)
    states = np.where(rng.random((n, 1)) < 0.5, mirrored(states), states)
    states = tilted(states, *rng.normal(0, noise * TILT_NOISE, (2, n)))
    joints = states[:, 7:QPOS] + rng.normal(0, noise * JOINT_NOISE, (n, QPOS - 7))
    states[:, 7:QPOS] = np.clip(joints, *joint_limits().T)
    return settled(states)


def nudged(states: Floats, rng: np.random.Generator, size: float = 1.0) -> Floats:
    """A neighbor of each state ``[N, 47]``; all states are moved alike.

    ``size`` multiplies `JOINT_NUDGE` and `HEIGHT_NUDGE`.
    """
    lean = rng.normal(0, size * JOINT_NUDGE, (2, 1)).repeat(len(states), axis=1)
    neighbors = tilted(states, *lean)
    neighbors[:, 2] += rng.normal(0, size * HEIGHT_NUDGE)
    neighbors[:, 7:QPOS] += rng.normal(0, size * JOINT_NUDGE, QPOS - 7)
    return neighbors


def joint_limits() -> Floats:
    """Lower and upper limits ``[17, 2]`` of the joints in radians."""
    limits: Floats = humanoid_model().jnt_range[1:]
    return limits


def _rotation(axis: str, angle: NDArray[np.float64] | float) -> Floats:
    """Quaternions ``[..., 4]`` (w, x, y, z) of rotations about an axis of the frame."""
    half = np.asarray(angle, dtype=np.float64) / 2
    quaternion = np.zeros((*half.shape, 4))
    quaternion[..., 0] = np.cos(half)
    quaternion[..., 1 + "xyz".index(axis)] = np.sin(half)
    return quaternion


def _product(a: Floats, b: Floats) -> Floats:
    """Hamilton product of quaternions ``[..., 4]``: first rotate by b, then by a."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )
