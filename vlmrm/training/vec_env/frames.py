"""Frames of the environments of a worker, drawn after each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from vlmrm.rendering.base import Renderer

Env = gym.Env[Any, Any]


class Frames(Protocol):
    """Draws what environments show.

    After a step, `note` is called for each environment, then `draw` for all of them, while the
    caller may already compute the next actions.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Height, width, and channels (3) of a frame."""

    def note(self, number: int, env: Env, out: NDArray[np.uint8], resets: bool) -> None:
        """Remembers what to draw of an environment; ``resets`` says that it is about to be lost."""

    def draw(self, out: NDArray[np.uint8]) -> None:
        """Draws everything that was noted into ``out``, uint8 ``[N, H, W, 3]``."""

    def close(self) -> None:
        """Frees the resources."""


class StateFrames:
    """Frames that a renderer draws from state vectors, whatever has become of the environment."""

    def __init__(self, renderer: Renderer, count: int):
        self._renderer = renderer
        self._states: list[NDArray[np.float64]] = [np.zeros(0)] * count
        self.shape = renderer.shape

    def note(self, number: int, env: Env, out: NDArray[np.uint8], resets: bool) -> None:
        self._states[number] = state_of(env)

    def draw(self, out: NDArray[np.uint8]) -> None:
        for state, frame in zip(self._states, out, strict=True):
            self._renderer.render(state, frame)

    def close(self) -> None:
        self._renderer.close()


class LiveFrames:
    """Frames that environments draw themselves: before they are reset, or not at all."""

    def __init__(self, environments: Sequence[Env]):
        self._waiting: dict[int, Env] = {}
        env = environments[0]
        env.reset()
        self.shape = _drawn(env).shape

    def note(self, number: int, env: Env, out: NDArray[np.uint8], resets: bool) -> None:
        if resets:
            out[number] = _drawn(env)
        else:
            self._waiting[number] = env

    def draw(self, out: NDArray[np.uint8]) -> None:
        for number, env in self._waiting.items():
            out[number] = _drawn(env)
        self._waiting.clear()

    def close(self) -> None:
        """Does nothing: the environments close what they draw with."""


def state_of(env: Env) -> NDArray[np.float64]:
    """The state vector ``[D]`` of an environment, from the outermost layer that has one."""
    state: NDArray[np.float64] = env.get_wrapper_attr("state_vector")()
    return state


def _drawn(env: Env) -> NDArray[np.uint8]:
    picture: Any = env.render()
    frame: NDArray[np.uint8] = picture
    return frame
