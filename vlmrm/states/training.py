"""States to train image-text models on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import EnvironmentName
from vlmrm.envs.cartpole import OUT_OF_SIGHT
from vlmrm.envs.mountain_car import ROAD
from vlmrm.states.compositions import composed, lifted
from vlmrm.states.grid import cartpole_states, mountain_car_states
from vlmrm.states.poses import by_stance, library, placed, random_motion
from vlmrm.tasks.body import Floats
from vlmrm.tasks.poses import between, perturbed

TRAINING_STREAM = 0x7EAC4
"""Seeds the random stream of training states; evaluation sets use other streams."""


def sample_training_states(
    environment: EnvironmentName, count: int, seed: int, part: int = 0
) -> NDArray[np.float64]:
    """States ``[count, D]`` to train image-text models on, in random order.

    They cover the states that an agent may visit. All are sampled from continuous distributions in
    a separate random stream, so none occurs in a state set of the configuration. Parts of the same
    seed are independent of each other.
    """
    rng = np.random.default_rng([TRAINING_STREAM, seed, part])
    if environment == "humanoid":
        states = _humanoid(count, rng)
    else:
        states = _classic_control(environment, count, rng)
    return rng.permutation(states)


def _classic_control(environment: str, count: int, rng: np.random.Generator) -> Floats:
    """States ``[count, D]`` over everything that is visible, more of them near the goal."""
    near = rng.random(count) < 0.5
    if environment == "mountain-car":
        low, high = ROAD
        return mountain_car_states(
            np.where(near, rng.uniform(0, high, count), rng.uniform(low, high, count))
        )
    angle = np.where(near, rng.uniform(-0.3, 0.3, count), rng.uniform(-np.pi, np.pi, count))
    return cartpole_states(rng.uniform(-OUT_OF_SIGHT, OUT_OF_SIGHT, count), angle)


def _humanoid(count: int, rng: np.random.Generator) -> Floats:
    """States ``[count, 47]`` as varied as those that an agent visits while it learns.

    They are perturbed poses, poses with limbs of others, states between two poses, and random
    motion from any pose, which mostly ends in a fall.
    """
    _, poses = library()
    n_moving, n_between, n_composed = (round(share * count) for share in (0.2, 0.1, 0.45))
    everywhere = np.ones(len(poses), dtype=bool)

    def some(number: int) -> Floats:
        return poses[by_stance(everywhere, number, rng)]

    still = [
        some(count - n_moving - n_between - n_composed),
        composed(some(n_composed), rng),
        between(some(n_between), some(n_between), rng.random(n_between)),
    ]
    moving, _ = random_motion(n_moving, rng)
    quiet = lifted(perturbed(np.concatenate(still), rng), rng)
    return placed(np.concatenate([quiet, moving]), rng)
