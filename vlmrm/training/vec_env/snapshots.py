"""The state of environments as plain values, from which they go on exactly."""

from __future__ import annotations

import copy
import dis
import zlib
from collections.abc import Iterator
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from vlmrm.envs.base import StateEnv


def layers(env: gym.Env[Any, Any]) -> Iterator[gym.Env[Any, Any]]:
    """Yields the wrappers, outermost first, and the environment itself."""
    yield env
    while isinstance(env, gym.Wrapper):
        env = env.env
        yield env


DRAWING = ("gymnasium.envs.mujoco.mujoco_rendering", "pygame")
"""Modules whose objects draw a state, and are no part of it."""

DESCRIPTIONS = ("metadata", "_metadata")
"""Attributes that wrappers share with their environment, and nobody changes."""

PLAIN = (bool, int, float, str, type(None))
"""Types of values that are part of an environment's state, besides arrays of numbers, lists,
tuples, and dictionaries of such values, random generators, and MuJoCo's data."""

UNCHANGING = (EnvSpec, mujoco.MjModel, ModuleType, type)
"""Types of attributes on which an environment's future does not depend. Models can be changed; see
`model_checksum`."""

MUJOCO_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
"""Everything that the next step of MuJoCo depends on."""

MUJOCO_DERIVED = (
    *("xpos", "xquat", "xmat", "xipos", "ximat", "geom_xpos", "geom_xmat"),
    *("site_xpos", "site_xmat", "subtree_com", "cvel", "cfrc_ext"),
)
"""Arrays that MuJoCo computes from an earlier state than the current one, and that environments
may read before their next step."""

Snapshot = list[dict[str, dict[str, Any]]]
"""Attributes of each layer of an environment by name: ``plain`` values, states of random
``generators``, and arrays of ``mujoco`` data."""


def snapshot(env: gym.Env[Any, Any]) -> Snapshot:
    """Everything that an environment's future depends on: simulator, counters, random generator."""
    return [_snapshot_layer(layer) for layer in layers(env)]


def _snapshot_layer(layer: gym.Env[Any, Any]) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = {"plain": {}, "generators": {}, "mujoco": {}}
    for name, value in vars(layer).items():
        if _plain(value):
            kept["plain"][name] = copy.deepcopy(value)
        elif isinstance(value, np.random.Generator):
            kept["generators"][name] = value.bit_generator.state
        elif isinstance(value, mujoco.MjData):
            model = layer.model  # type: ignore[attr-defined]
            state = np.empty(mujoco.mj_stateSize(model, MUJOCO_STATE))
            mujoco.mj_getState(model, value, state, MUJOCO_STATE)
            derived = {array: getattr(value, array).copy() for array in MUJOCO_DERIVED}
            kept["mujoco"][name] = {"state": state, **derived}
    return kept


def restore(env: gym.Env[Any, Any], kept: Snapshot) -> None:
    """Puts an environment of the same kind into the state of a `snapshot`."""
    for layer, attributes in zip(layers(env), kept, strict=True):
        for name, value in attributes["plain"].items():
            setattr(layer, name, copy.deepcopy(value))
        for name, state in attributes["generators"].items():
            bits = getattr(np.random, state["bit_generator"])()
            bits.state = state
            setattr(layer, name, np.random.Generator(bits))
        for name, arrays in attributes["mujoco"].items():
            # Overwritten, not replaced, because others hold references to it.
            data = getattr(layer, name)
            mujoco.mj_setState(layer.model, data, arrays["state"], MUJOCO_STATE)  # type: ignore[attr-defined]
            for array in MUJOCO_DERIVED:
                getattr(data, array)[:] = arrays[array]


def exact(env: gym.Env[Any, Any], checksum: int) -> bool:
    """Whether a `snapshot` of an environment contains everything that its future depends on.

    The environments of this package are written for it. Others qualify if each attribute of each
    layer is of a known type, and shares no memory with another one: they would be restored apart.

    Args:
        env: The environment.
        checksum: Its `model_checksum` when it was made.
    """
    if isinstance(env.unwrapped, StateEnv):
        return True
    known = all(_known(layer, *item) for layer in layers(env) for item in vars(layer).items())
    return known and not _shared(env) and model_checksum(env) == checksum


def model_checksum(env: gym.Env[Any, Any]) -> int:
    """Checksum of an environment's MuJoCo model, which some change at a reset; 0 without one."""
    model = getattr(env.unwrapped, "model", None)
    if not isinstance(model, mujoco.MjModel):
        return 0
    content = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, content)
    return zlib.crc32(content.tobytes())


def _plain(value: Any) -> bool:
    """Whether a value is plain. Subclasses, as `Counter`, are not: files lose their type."""
    if isinstance(value, np.generic) or type(value) is np.ndarray:
        return value.dtype.kind in "biuf"
    if type(value) in (tuple, list):
        return all(map(_plain, value))
    if type(value) is dict:
        return all(_plain(key) and _plain(part) for key, part in value.items())
    return type(value) in PLAIN


def _shared(env: gym.Env[Any, Any]) -> bool:
    """Whether something that can change is reached by two ways, or by MuJoCo too."""
    parts = [
        part
        for layer in layers(env)
        for name, value in vars(layer).items()
        if name not in DESCRIPTIONS
        for part in _changing(value)
    ]
    foreign = any(isinstance(part, np.ndarray) and part.base is not None for part in parts)
    return foreign or len({id(part) for part in parts}) < len(parts)


def _changing(value: Any) -> Iterator[Any]:
    """The parts of a value that can change in place; of an array, the one that owns its memory."""
    match value:
        case dict():
            yield value
            for part in value.values():
                yield from _changing(part)
        case list() | tuple():
            if isinstance(value, list):
                yield value
            for part in value:
                yield from _changing(part)
        case np.ndarray():
            while isinstance(value.base, np.ndarray):
                value = value.base
            yield value
        case np.random.Generator():
            yield value


def _known(layer: gym.Env[Any, Any], name: str, value: Any) -> bool:
    if isinstance(value, spaces.Space):
        return value._np_random is None  # otherwise, something is sampled from it
    if isinstance(value, mujoco.MjData):
        return isinstance(vars(layer).get("model"), mujoco.MjModel)
    return (
        _plain(value)
        or isinstance(value, np.random.Generator)
        or _keeps_nothing(value)
        or (name == "env" and isinstance(value, gym.Env))
        or type(value).__module__.startswith(DRAWING)
    )


def _keeps_nothing(value: Any, seen: tuple[Any, ...] = ()) -> bool:
    """Whether a value is unchanging, or a function that keeps nothing but in its environment."""
    if isinstance(value, MethodType):
        owner = value.__self__
        return isinstance(owner, (gym.Env, type)) and _keeps_nothing(value.__func__, seen)
    if not isinstance(value, FunctionType):
        return isinstance(value, UNCHANGING)
    # Gymnasium's wrappers keep constants in theirs. Functions may call themselves.
    if value.__module__.startswith("gymnasium.") or value in seen:
        return True
    seen = (*seen, value)
    attributes = {**vars(value)}
    wrapped = attributes.pop("__wrapped__", value)  # by `functools.wraps`
    defaults = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    return (
        not attributes
        and _keeps_nothing(wrapped, seen)
        and all(type(part) in PLAIN or _keeps_nothing(part, seen) for part in defaults)
        and all(_is_constant(cell, seen) for cell in value.__closure__ or ())
        and not any(code.opname == "STORE_DEREF" for code in dis.get_instructions(value))
    )


def _is_constant(cell: CellType, seen: tuple[Any, ...]) -> bool:
    """Whether a variable of an enclosing function is plain, an environment, or keeps nothing."""
    try:
        content = cell.cell_contents
    except ValueError:  # it has no value yet
        return False
    return type(content) in PLAIN or isinstance(content, gym.Env) or _keeps_nothing(content, seen)
