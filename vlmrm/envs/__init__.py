"""Environments whose state is a plain vector."""

from __future__ import annotations

import importlib
from contextlib import closing
from types import ModuleType
from typing import Any

import gymnasium as gym
from gymnasium.wrappers import TimeLimit

from vlmrm.config import Environment
from vlmrm.envs.base import StateEnv
from vlmrm.errors import UserError, suggest
from vlmrm.machine.libraries import explain_opengl

__all__ = ["StateEnv", "frames_per_second", "import_env", "make_env"]

FRAMES_PER_SECOND = 30
"""Rate of environments that state none."""

_CLASSES = {
    "cartpole": "CartPoleEnv",
    "mountain-car": "MountainCarEnv",
    "humanoid": "HumanoidEnv",
}


def make_env(
    name: str,
    episode_steps: int,
    goal_never_cleared: bool = False,
    own: Environment | None = None,
) -> gym.Env[Any, Any]:
    """Makes an environment that is truncated after ``episode_steps``.

    Those of this package never terminate, and their ``unwrapped`` is a `StateEnv`. The others have
    the ``state_vector`` of `vlmrm.envs.own.JudgedEnv`, and terminate as they do.

    Args:
        name: Name of the environment.
        episode_steps: Length of an episode, at most.
        goal_never_cleared: Whether a mountain car that has once reached the flag stays where it is
            forever (see `vlmrm.config.PaperCode`).
        own: Its entry among the environments of the configuration, if it is one of those.

    Raises:
        UserError: No environment has this name, it cannot be made, or MuJoCo finds no OpenGL.
    """
    if own is not None:
        with explain_opengl():
            from vlmrm.envs.own import make_own

            return TimeLimit(make_own(name, own), max_episode_steps=episode_steps)
    environment: Any = getattr(import_env(name), _CLASSES[name])()
    if goal_never_cleared and name == "mountain-car":
        environment.goal_never_cleared = True
    return TimeLimit(environment, max_episode_steps=episode_steps)


def frames_per_second(name: str, own: Environment | None = None) -> float:
    """Steps of an environment per second: the frame rate of its videos.

    Args:
        name: As in `make_env`.
        own: As there.

    Raises:
        UserError: As there.
    """
    with closing(make_env(name, 1, own=own)) as env:
        return float(env.metadata.get("render_fps", FRAMES_PER_SECOND))


def import_env(name: str) -> ModuleType:
    """Imports the module of an environment.

    Raises:
        UserError: No environment has this name, or MuJoCo finds no OpenGL.
    """
    if name not in _CLASSES:
        raise UserError(f"environment: unknown name '{name}'{suggest(name, _CLASSES)}")
    with explain_opengl():
        return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
