"""The environments' interface: a Gymnasium environment with a state vector."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray


class StateEnv(gym.Env[Any, Any]):
    """A Gymnasium environment whose simulator state is a plain vector."""

    state_names: tuple[str, ...]
    """Names of the entries of a state vector."""

    def state_vector(self) -> NDArray[np.float64]:
        """The current state, float64 ``[D]``: all that a frame or an oracle depends on."""
        raise NotImplementedError
