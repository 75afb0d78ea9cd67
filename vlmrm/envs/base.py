"""What the pipeline asks of an environment: state vectors, and pictures of them."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray


class StateEnv(gym.Env[Any, Any]):
    """A Gymnasium environment whose simulator state is a plain vector."""

    state_names: tuple[str, ...]
    """What the entries of a state vector are."""

    def state_vector(self) -> NDArray[np.float64]:
        """The current state, float64 ``[D]``: all that a picture or an oracle depends on."""
        raise NotImplementedError
