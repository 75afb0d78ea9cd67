"""The pose library of the humanoid, and what can be done with a pose.

`poses.yaml` names joint angles; here they become simulator states that touch the floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from vlmrm.envs.humanoid import HumanoidEnv, humanoid_model
from vlmrm.tasks.body import QPOS, BodyQuantities, Floats

LIBRARY = Path(__file__).with_name("poses.yaml")

JOINTS: tuple[str, ...] = HumanoidEnv.state_names[7:QPOS]
"""The joints in the order of a state."""

ODD_JOINTS = ("abdomen_z", "abdomen_x", "shoulder1", "shoulder2")
"""Joints whose angle changes its sign in the mirror. The other axes are defined as mirror images."""


@dataclass(frozen=True, eq=False)
class Pose:
    """A named posture of the humanoid, at rest, facing the camera.

    Attributes:
        name: Unique name.
        task: The task that it fulfils, if any. (A pose with raised arms is *also* standing.)
        near: Tasks for which it is a hard negative: similar at first sight, but not fulfilled.
        tags: Its facts in the vocabulary of `vlmrm.tasks.facts`: posture, arms, legs.
        settled: Whether the joints' motors can hold it, so that it stays as it is for a while.
        state: State vector ``[47]``.
    """

    name: str
    task: str | None
    near: tuple[str, ...]
    tags: dict[str, str]
    settled: bool
    state: Floats


@cache
def pose_library() -> dict[str, Pose]:
    """All poses of `poses.yaml` by name."""
    content = yaml.safe_load(LIBRARY.read_text())
    return {
        name: _pose(name, entry, content["stances"], content["arms"])
        for name, entry in content["poses"].items()
    }


def _pose(name: str, entry: dict[str, Any], stances: dict[str, Any], arms: dict[str, Any]) -> Pose:
    stance, arm = stances[entry["stance"]], arms[entry["arms"]]
    state = _combined(stance, arm)
    return Pose(
        name=name,
        task=entry.get("task"),
        near=tuple(entry.get("near", ())),
        tags={"posture": stance["posture"], "arms": arm["arms"], "legs": stance["legs"]},
        settled=stance.get("settled", False),
        state=state,
    )


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


@cache
def combinations() -> dict[str, Floats]:
    """Every stance of the library with every position of the arms, as "stance, arms"."""
    content = yaml.safe_load(LIBRARY.read_text())
    return {
        f"{stance}, {arm}": _combined(content["stances"][stance], content["arms"][arm])
        for stance in content["stances"]
        for arm in content["arms"]
    }


def _combined(stance: dict[str, Any], arms: dict[str, Any]) -> Floats:
    joints = {**stance["joints"], **arms["joints"]}
    state = pose_state(joints, stance.get("pitch", 0), stance.get("roll", 0))
    state[2] += stance.get("lift", 0)
    return state


def on_floor(states: Floats) -> Floats:
    """The states ``[N, 47]`` raised or lowered so that each touches the floor."""
    states = states.copy()
    states[:, 2] -= BodyQuantities.of(states).lowest_point
    return states


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
