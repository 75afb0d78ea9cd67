"""Gymnasium's humanoid without termination, and its model."""

from __future__ import annotations

import functools
from pathlib import Path

import gymnasium.envs.mujoco
import mujoco
from gymnasium.envs.mujoco.humanoid_v5 import HumanoidEnv as GymnasiumHumanoidEnv
from gymnasium.utils import EzPickle

from vlmrm.envs.base import StateEnv

XML = Path(gymnasium.envs.mujoco.__file__).parent / "assets" / "humanoid.xml"
"""Gymnasium's model, from which the physics and every scene are built."""


@functools.cache
def humanoid_model() -> mujoco.MjModel:
    """The compiled model of the physics, one per process; treat it as read-only."""
    return mujoco.MjModel.from_xml_path(str(XML))


class HumanoidEnv(GymnasiumHumanoidEnv, StateEnv):
    """Gymnasium's Humanoid-v5 that is never terminated for being "unhealthy".

    One step is 15 ms. A state vector is `qpos` (24) followed by `qvel` (23), in SI units and
    radians: see `state_names`.
    """

    def __init__(self) -> None:
        super().__init__(terminate_when_unhealthy=False)
        # Copies call this constructor without arguments, instead of Gymnasium's with its own.
        EzPickle.__init__(self)


def _state_names() -> tuple[str, ...]:
    model = humanoid_model()
    joints = [model.joint(i).name for i in range(1, model.njnt)]
    root = ["x", "y", "z"]
    position = [*root, "quaternion_w", "quaternion_x", "quaternion_y", "quaternion_z", *joints]
    velocity = [*root, "angular_x", "angular_y", "angular_z", *joints]
    return (*position, *(f"{name}_velocity" for name in velocity))


HumanoidEnv.state_names = _state_names()
