"""Environments of the user's own, with what the rest of the package expects of an environment."""

from __future__ import annotations

import sys
from collections.abc import Callable
from multiprocessing import parent_process
from numbers import Real
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.spaces.utils import flatdim
from gymnasium.wrappers import FlattenObservation
from numpy.typing import NDArray

from vlmrm.config import Environment
from vlmrm.envs.viewers import frame_problem, separate_viewers
from vlmrm.errors import UserError, one_line, suggest
from vlmrm.imports import calling, import_module, import_object, missing_module
from vlmrm.machine.libraries import load_triton_first

SMALLEST_PICTURE = 36
"""Side in pixels below which Stable-Baselines3's NatureCNN cannot read a picture."""

LONGEST_STATE = 4096
"""Numbers of an observation that becomes a state; pictures have more."""


class JudgedEnv(gym.Wrapper[Any, Any, Any, Any]):
    """Adds to an environment its state as a vector, and the verdict on it.

    The state is what the function `state` of the entry returns, if there is one. Otherwise it is
    the environment's own ``state_vector``, where it has one, as Gymnasium's robots do; `qpos` and
    `qvel`, where it has MuJoCo's data; else the observation, unless it is longer than
    `LONGEST_STATE`. The last entry is 1 in states that are a success, else 0; it is 0 where nothing
    says success.

    Args:
        env: The environment.
        name: Its name in the configuration, for errors.
        entry: What says success, and what the state is.
    """

    def __init__(self, env: gym.Env[Any, Any], name: str, entry: Environment):
        super().__init__(env)
        self._key = f"environments.{name}"
        self._success = entry.success
        self._oracle: Callable[[gym.Env[Any, Any]], Any] | None = None
        if entry.oracle is not None:
            self._oracle = import_object(f"{self._key}.oracle", entry.oracle)
        self._describe: Callable[[gym.Env[Any, Any]], Any] | None = None
        if entry.state is not None:
            self._describe = import_object(f"{self._key}.state", entry.state)
        self._names: list[str] | None = None
        self._seen: dict[str, None] = {}
        self._steps = 0
        self._verdict = False
        self._state = _state_function(env.unwrapped)
        self._observation: Any = np.zeros(0)

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        if self._steps and self._success is not None and self._success not in self._seen:
            known = suggest(self._success, sorted(self._seen)) or "; it is empty"
            if not known.endswith("?"):
                known += "; if it is there on success alone, write an `oracle` instead"
            raise UserError(
                f"{self._key}.success: no info of an episode has '{self._success}'{known}"
            )
        self._steps = 0
        with calling(self._key):
            observation, info = super().reset(**options)
        self._judge(observation, info)
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        with calling(self._key):
            observation, reward, terminated, truncated, info = super().step(action)
        self._steps += 1
        self._judge(observation, info)
        return observation, reward, terminated, truncated, info

    def _judge(self, observation: Any, info: dict[str, Any]) -> None:
        if self._state is None:
            self._observation = np.asarray(observation).flatten()  # a copy
        if self._success is not None:
            self._seen.update(dict.fromkeys(info))
            said = info.get(self._success, False)
            self._verdict = _truth(said, f"{self._key}.success: info['{self._success}']")
        elif self._oracle is not None:
            key = f"{self._key}.oracle"
            with calling(key):
                said = self._oracle(self.unwrapped)
            self._verdict = _truth(said, f"{key}: what it returns")

    def render(self) -> Any:
        """The frame of the current state, uint8 ``[H, W, 3]``.

        Raises:
            UserError: The environment draws nothing, or something else, or raised an error.
        """
        with calling(self._key):
            picture: Any = super().render()
        if problem := frame_problem(picture):
            raise UserError(
                f"{self._key}: its render() returns {problem}, not uint8 [height, width, 3]; "
                "correct its kwargs or wrappers"
            )
        return picture

    def state_vector(self) -> NDArray[np.float64]:
        """The current state, float64 ``[D]``; the last entry is the verdict."""
        if self._describe is not None:
            state: Any = [*self._described().values()]
        else:
            state = self._observation if self._state is None else self._state()
        if len(state) > LONGEST_STATE:
            state = state[:0]
        return np.append(np.asarray(state, np.float64), float(self._verdict))

    def state_names(self) -> list[str]:
        """The names of the entries of a state: ``qpos[2]`` is MuJoCo's third position."""
        if self._describe is not None:
            names = [*self._described()]
        else:
            count = len(self.state_vector()) - 1
            data = getattr(self.unwrapped, "data", None)
            if isinstance(data, mujoco.MjData) and count == len(data.qpos) + len(data.qvel):
                parts = {"qpos": len(data.qpos), "qvel": len(data.qvel)}
            else:
                parts = {"observation" if self._state is None else "state": count}
            names = [f"{part}[{i}]" for part, length in parts.items() for i in range(length)]
        return [*names, "success"]

    def _described(self) -> dict[str, float]:
        """What the user's function says of the state."""
        key = f"{self._key}.state"
        assert self._describe is not None
        with calling(key):
            state: Any = self._describe(self.unwrapped)
        if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
            raise UserError(f"{key}: returns {type(state).__name__}, no dictionary of numbers")
        for name, number in state.items():
            if not isinstance(number, Real) or not np.isfinite(float(number)):
                raise UserError(f"{key}: '{name}' is {number!r}; return finite numbers")
        if self._names is None:
            self._names = [*state]
        if differing := sorted(state.keys() ^ self._names):
            raise UserError(f"{key}: '{differing[0]}' is not in every state; always return it")
        return {name: float(state[name]) for name in self._names}


class ChannelsFirst(gym.ObservationWrapper[Any, Any, Any]):
    """Puts the channels of pictures first, as PyTorch has them."""

    def __init__(self, env: gym.Env[Any, Any]):
        super().__init__(env)
        space = env.observation_space
        assert isinstance(space, spaces.Box)
        low, high = (np.moveaxis(bound, -1, 0) for bound in (space.low, space.high))
        self.observation_space = spaces.Box(low, high, dtype=np.uint8)

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.moveaxis(observation, -1, 0)


def make_own(name: str, entry: Environment) -> gym.Env[Any, Any]:
    """Makes an environment with a state vector, and observations that a policy can read.

    Pictures that are large enough for a convolutional network stay pictures, with the channels
    first; everything else becomes a vector, unless it looks like pictures too.

    Raises:
        UserError: It cannot be made, or no policy fits its observations or actions.
    """
    if parent_process() is None:  # workers do not train
        load_triton_first()
    key = f"environments.{name}"
    env = _make(key, entry)
    for path in entry.wrappers:
        wrapper = import_object(f"{key}.wrappers", path)
        try:
            env = wrapper(env)
        except (Exception, SystemExit) as error:
            raise UserError(f"{key}.wrappers: {path} refuses ({one_line(error)})") from error
    separate_viewers()
    _check_actions(key, env.action_space)
    return JudgedEnv(_readable(key, env), name, entry)


def algorithm_for(space: spaces.Space[Any]) -> str:
    """Name of the algorithm for actions: DQN chooses one of several, SAC numbers."""
    return "dqn" if isinstance(space, spaces.Discrete) else "sac"


def channels_axis(space: spaces.Space[Any]) -> int | None:
    """The axis that has the channels of a picture, 0 or -1; None if observations are no pictures.

    Pictures are uint8 from 0 to 255 with at least `SMALLEST_PICTURE` pixels a side. They may have
    any number of channels, because stacked frames do.
    """
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8 or len(space.shape) != 3:
        return None
    if (space.low != 0).any() or (space.high != 255).any():
        return None
    for axis in (-1, 0):
        if max(SMALLEST_PICTURE, space.shape[axis]) <= np.delete(space.shape, axis).min():
            return axis
    return None


def _make(key: str, entry: Environment) -> gym.Env[Any, Any]:
    settings = {"render_mode": "rgb_array", **entry.kwargs}
    module_name, colon, function = entry.id.rpartition(":")
    if colon:
        # Also Gymnasium's notation for an id that this module registers.
        found = getattr(import_module(f"{key}.id", module_name), function, None)
        if callable(found):
            return _made(key, lambda: found(**settings))
    _check_id(key, entry.id)
    # Episodes end by the agent's time limit. The checker would hide the environment's attributes.
    return _made(
        key,
        lambda: gym.make(entry.id, max_episode_steps=-1, disable_env_checker=True, **settings),
    )


def _check_id(key: str, identifier: str) -> None:
    name = identifier.rpartition(":")[-1]
    try:
        gym.spec(name)
    except gym.error.Error as error:
        plain = name.partition("-v")[0]
        module = identifier.rpartition(":")[0]
        near = vars(sys.modules[module]) if module in sys.modules else {}
        close = suggest(name, [*gym.registry, *near])
        if any(known.partition("-v")[0] == plain for known in gym.registry):
            reason = one_line(error)  # a version
        elif "did you mean" in close:
            reason = f"unknown id '{name}'{close}"
        elif module:
            reason = f"{module} has no function and registers no id '{name}'; correct the name"
        else:
            reason = (
                f"unknown id '{name}'; write MODULE:{name} with the module that registers it, or "
                "correct the name"
            )
        raise UserError(f"{key}.id: {reason}") from error


def _made(key: str, make: Callable[[], gym.Env[Any, Any]]) -> gym.Env[Any, Any]:
    with calling(key):
        try:
            env: Any = make()
        except ModuleNotFoundError as error:
            raise UserError(f"{key}.id: {missing_module(error)}") from error
        except gym.error.DependencyNotInstalled as error:
            raise UserError(f"{key}.id: {one_line(error)}") from error
        except TypeError as error:
            raise UserError(
                f"{key}.kwargs: the environment refuses them ({one_line(error)})"
            ) from error
    if not isinstance(env, gym.Env):
        raise UserError(f"{key}.id: the function returns {type(env).__name__}, no gymnasium.Env")
    return env


def _check_actions(key: str, space: spaces.Space[Any]) -> None:
    if isinstance(space, spaces.Discrete):
        if space.start == 0:
            return
        reason = f"{space} does not start at 0"
    elif not isinstance(space, spaces.Box) or len(space.shape) != 1:
        reason = f"{type(space).__name__} actions fit neither DQN nor SAC"
    elif np.issubdtype(space.dtype, np.floating) and space.is_bounded():
        return
    else:
        reason = f"{space} is not a vector of numbers within bounds"
    raise UserError(f"{key}: {reason}; wrap the environment so that they are Discrete or Box")


def _readable(key: str, env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    space = env.observation_space
    channels = channels_axis(space)
    if channels is not None:
        return ChannelsFirst(env) if channels == -1 else env
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return env
    if space.dtype == np.uint8 and (numbers := flatdim(space)) > LONGEST_STATE:
        raise UserError(
            f"{key}: its observations, uint8 {list(space.shape or ())}, would become vectors of "
            f"{numbers} numbers; add a wrapper to `wrappers` that makes them [height, width, "
            f"channels] from 0 to 255, of at least {SMALLEST_PICTURE} pixels a side, or vectors"
        )
    try:
        return FlattenObservation(env)
    except NotImplementedError as error:
        raise UserError(
            f"{key}: no policy reads {space}, which cannot be flattened; add one of its wrappers "
            "to `wrappers` that makes vectors or pictures"
        ) from error


def _state_function(env: gym.Env[Any, Any]) -> Callable[[], NDArray[np.float64]] | None:
    own: Callable[[], NDArray[np.float64]] | None = getattr(env, "state_vector", None)
    data = getattr(env, "data", None)
    if own is None and isinstance(data, mujoco.MjData):
        return lambda: np.concatenate([env.data.qpos, env.data.qvel])  # type: ignore[attr-defined]
    return own


def _truth(said: Any, source: str) -> bool:
    value = said.item() if isinstance(said, (np.generic, np.ndarray)) and said.size == 1 else said
    if not isinstance(value, Real):  # as truth values are, too
        raise UserError(f"{source} is {type(said).__name__}, neither true nor false nor a number")
    return float(value) > 0
