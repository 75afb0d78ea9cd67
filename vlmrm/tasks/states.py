"""State sets by their description in the configuration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmrm.artifacts import States
from vlmrm.config import EnvironmentName, GridStates, PathStates, PoseStates, UniformStates
from vlmrm.tasks import classic_states

TRAINING_STREAM = 0x7EAC4
"""Marks the random stream of training states; evaluation sets draw from other streams."""


def sample_states(spec: GridStates | UniformStates | PoseStates | PathStates) -> States:
    """Samples a state set, labelled by oracles of its environment under the oracle's name."""
    if isinstance(spec, GridStates):
        return classic_states.sample_grid(spec)
    if isinstance(spec, PoseStates):
        from vlmrm.tasks import pose_states

        return pose_states.sample_poses(spec)
    if isinstance(spec, PathStates):
        from vlmrm.tasks import paths

        return paths.sample_paths(spec)
    return classic_states.sample_uniform(spec)


def sample_training_states(
    environment: EnvironmentName, count: int, seed: int
) -> NDArray[np.float64]:
    """States ``[count, D]`` to train image-text models on, in random order.

    They cover what an agent may meet. All are drawn from continuous distributions in a random
    stream of their own, so that none occurs in a state set of the configuration.
    """
    rng = np.random.default_rng([TRAINING_STREAM, seed])
    if environment == "humanoid":
        from vlmrm.tasks import pose_states

        states = pose_states.sample_varied(count, rng)
    else:
        states = classic_states.sample_varied(environment, count, rng)
    return rng.permutation(states)
