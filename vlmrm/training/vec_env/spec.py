"""The specification of parallel environments and their frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from vlmrm.rendering.base import Renderer

MakeEnv = Callable[[], gym.Env[Any, Any]]
MakeRenderer = Callable[[], Renderer]


@dataclass(frozen=True)
class EnvSpec:
    """Parallel environments and their frames. Workers receive it, so it must be picklable."""

    make_env: MakeEnv
    """Creates an environment with a ``state_vector``, as of a `StateEnv`."""
    n_envs: int
    """Number of environments, over all workers."""
    make_renderer: MakeRenderer | None = None
    """Creates the renderer of the frames; None for no frames, or live ones."""
    slots: int = 1
    """Number of steps whose frames are kept."""
    frames_after_reset: bool = False
    """Whether the last frame of an episode shows the first state of the next: a bug in the paper's
    code, for comparison."""
    live_frames: bool = False
    """Whether the environments draw their frames themselves, by their ``render``."""
