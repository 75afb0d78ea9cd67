"""The pose library of the humanoid, and what can be done with a pose.

`poses.yaml` names joint angles; here they become simulator states that touch the floor.
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
import yaml
from numpy.typing import NDArray

from vlmrm.envs.humanoid import HumanoidEnv, humanoid_model
from vlmrm.tasks.body import QPOS, BodyQuantities, Floats

LIBRARY = Path(__file__).with_name("poses.yaml")

JOINTS: tuple[str, ...] = HumanoidEnv.state_names[7:QPOS]
"""The joints in the order of a state."""

ODD_JOINTS = ("abdomen_z", "abdomen_x", "shoulder1", "shoulder2")
"""Joints whose angle changes its sign in the mirror; the other axes are mirror images already."""


SETTLING_TIME = 0.25
"""Seconds in which a pose comes to rest on the floor, before it tips over if it will."""
STIFFNESS, DAMPING = 400.0, 40.0
"""Springs (Nm/rad) and dampers (Nms/rad) that hold the joints meanwhile."""
MID_AIR = 0.1
"""Height in meters from which a pose is meant to be off the floor, and does not settle."""
JOINT_NOISE = np.radians(5)
"""Standard deviation of perturbed joint angles."""
TILT_NOISE = np.radians(4)
"""Standard deviation of the torso's lean, about each horizontal axis."""
JOINT_NUDGE = np.radians(3)
"""Standard deviation of a neighbor's joint angles, and of its lean: no viewer sees less."""
HEIGHT_NUDGE = 0.015
"""Standard deviation in meters of a neighbor's height, one pixel of 224."""


@dataclass(frozen=True, eq=False)
class Pose:
    """A pose that some task accepts, or must not accept.

    Attributes:
        posture, arms, legs: What it shows, in the vocabulary of `vlmrm.pretraining.facts`.
        tasks: The tasks that accept it, where it was written for one.
        near: The tasks for which it is a hard negative: similar at first sight, not fulfilled.
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
    """The poses that `poses.yaml` names for the tasks, as "stance, arms"."""
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
    """Every stance of the library with every position of the arms, as "stance, arms"."""
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
    content: dict[str, Any] = yaml.safe_load(LIBRARY.read_text())
    return content


def pose_state(joints: Mapping[str, float], pitch: float = 0, roll: float = 0) -> Floats:
    """The state ``[47]`` with given joint angles, at rest on the floor.

    Args:
        joints: Joint name to angle in degrees. A name without ``right_`` or ``left_`` stands for
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
    """Angles of joints of one side each, those written for both sides first."""
    both, single = [], []
    for name, angle in joints.items():
        if name in JOINTS:
            single.append((name, angle))
            continue
        sign = -1 if name in ODD_JOINTS else 1
        both += [(f"right_{name}", angle), (f"left_{name}", sign * angle)]
    return both + single


def on_floor(states: Floats) -> Floats:
    """The states ``[N, 47]`` raised or lowered so that each touches the floor."""
    states = states.copy()
    states[:, 2] -= BodyQuantities.of(states).lowest_point
    return states


def settled(states: Floats) -> Floats:
    """The states after `SETTLING_TIME` under gravity, their joints held by springs.

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
    """States on straight lines between two poses each, on the floor.

    Args:
        first: States ``[N, 47]``, or ``[1, 47]`` for all.
        second: Other states, of the same shape.
        share: How far on the way from the first to the second each state is, ``[N]`` in [0, 1].
    """
    states = (1 - share[:, None]) * first + share[:, None] * second
    states[:, 3:7] /= np.linalg.norm(states[:, 3:7], axis=1, keepdims=True)
    return on_floor(states)


def turned(states: Floats, yaw: NDArray[np.float64] | float) -> Floats:
    """The states ``[N, 47]`` turned on the spot by ``yaw`` (radians, ``[N]`` or one for all)."""
    states = states.copy()
    yaw = np.broadcast_to(yaw, len(states))
    states[:, 3:7] = _product(_rotation("z", yaw), states[:, 3:7])
    cos, sin = np.cos(yaw), np.sin(yaw)
    # Linear velocities are in the world frame, angular ones in the body's own.
    vx, vy = states[:, QPOS].copy(), states[:, QPOS + 1].copy()
    states[:, QPOS], states[:, QPOS + 1] = cos * vx - sin * vy, sin * vx + cos * vy
    return states


def tilted(states: Floats, roll: Floats, pitch: Floats) -> Floats:
    """The states ``[N, 47]`` leaning further, about the body's own axes (radians, ``[N]``)."""
    states = states.copy()
    lean = _product(_rotation("x", roll), _rotation("y", pitch))
    states[:, 3:7] = _product(states[:, 3:7], lean)
    return states


def mirrored(states: Floats) -> Floats:
    """The states ``[N, 47]`` reflected in the plane y = 0: left and right change places."""
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
    # Position and velocity change along y; rotations about x and z change their sense.
    return (
        np.concatenate([np.arange(7), 7 + joints, QPOS + np.arange(6), QPOS + 6 + joints]),
        np.array([1, -1, 1, 1, -1, 1, -1, *sign, 1, -1, 1, -1, 1, -1, *sign]),
    )


def perturbed(states: Floats, rng: np.random.Generator, noise: float = 1.0) -> Floats:
    """The states with noise on joints (within their limits) and lean, settled on the floor.

    Left and right change places in half of them. ``noise`` multiplies `JOINT_NOISE` and
    `TILT_NOISE`.
    """
    n = len(states)
    states = np.where(rng.random((n, 1)) < 0.5, mirrored(states), states)
    states = tilted(states, *rng.normal(0, noise * TILT_NOISE, (2, n)))
    joints = states[:, 7:QPOS] + rng.normal(0, noise * JOINT_NOISE, (n, QPOS - 7))
    states[:, 7:QPOS] = np.clip(joints, *joint_limits().T)
    return settled(states)


def nudged(states: Floats, rng: np.random.Generator) -> Floats:
    """A neighbor of each state ``[N, 47]``, all of them moved alike."""
    lean = rng.normal(0, JOINT_NUDGE, (2, 1)).repeat(len(states), axis=1)
    neighbors = tilted(states, *lean)
    neighbors[:, 2] += rng.normal(0, HEIGHT_NUDGE)
    neighbors[:, 7:QPOS] += rng.normal(0, JOINT_NUDGE, QPOS - 7)
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
