"""Environments whose state is a plain vector."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import gymnasium as gym
from gymnasium.wrappers import TimeLimit

from vlmrm.envs.base import StateEnv
from vlmrm.errors import UserError, suggest

__all__ = ["StateEnv", "import_env", "make_env", "opengl_error"]

_CLASSES = {
    "cartpole": "CartPoleEnv",
    "mountain-car": "MountainCarEnv",
    "humanoid": "HumanoidEnv",
}


def make_env(name: str, episode_steps: int, goal_never_cleared: bool = False) -> gym.Env[Any, Any]:
    """Makes an environment that never terminates and is truncated after ``episode_steps``.

    Its ``unwrapped`` is a `StateEnv`. With ``goal_never_cleared``, a mountain car that has once
    reached the flag stays where it is forever (see `vlmrm.config.PaperCode`).

    Raises:
        UserError: No environment has this name.
    """
    environment: Any = getattr(import_env(name), _CLASSES[name])()
    if goal_never_cleared and name == "mountain-car":
        environment.goal_never_cleared = True
    return TimeLimit(environment, max_episode_steps=episode_steps)


def import_env(name: str) -> ModuleType:
    """Imports the module of an environment.

    Raises:
        UserError: No environment has this name, or MuJoCo finds no OpenGL.
    """
    if name not in _CLASSES:
        raise UserError(f"environment: unknown name '{name}'{suggest(name, _CLASSES)}")
    if name == "humanoid":
        try:
            importlib.import_module("mujoco")  # loads the OpenGL library that MUJOCO_GL names
        except (ImportError, AttributeError, OSError) as error:
            raise opengl_error(error) from error
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def opengl_error(reason: Exception) -> UserError:
    """An error that says how to install off-screen OpenGL."""
    return UserError(
        f"MUJOCO_GL: OpenGL cannot start ({' '.join(str(reason).split())}); install the Debian "
        "packages libegl1 and libgl1-mesa-dri (EGL, with a software fallback), or install "
        "libosmesa6 and set MUJOCO_GL=osmesa"
    )
