"""State sets of the classic-control environments: grids, and uniform samples.

Pictures of these environments show the cart's position and the pole's angle, or the car's
position. Velocities do not show, and are 0 throughout.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmrm.artifacts import States
from vlmrm.config import GridStates, UniformStates
from vlmrm.envs.cartpole import MAX_CART_POSITION, OUT_OF_SIGHT
from vlmrm.envs.mountain_car import ROAD
from vlmrm.tasks.oracles import labelled

Floats = NDArray[np.float64]


def sample_grid(spec: GridStates) -> States:
    """A rectangular grid over what the pictures show.

    CartPole: positions times angles, 19 x 117 at resolution 1. The angle is sampled every 0.01 rad
    up to 0.3 (around the goal, with the +-0.25 of the landscape among them), every 0.1 rad from
    there to +-pi. MountainCar: 181 positions, 0.01 apart.

    At every resolution the grid is symmetric, holds both ends of each range, and 0.
    """
    if spec.environment == "cartpole":
        x, theta = np.meshgrid(
            _cart_positions(spec.resolution), _pole_angles(spec.resolution), indexing="ij"
        )
        values = _cartpole_states(x.ravel(), theta.ravel())
    else:
        values = _mountain_car_states(_car_positions(spec.resolution))
    return labelled(spec.environment, values)


def sample_uniform(spec: UniformStates) -> States:
    """Independent uniform states.

    CartPole: the cart anywhere on the visible track (+-2.4 m), the pole at any angle of the full
    circle, so that one state in 15 is a success (12 of 180 degrees). MountainCar: the car anywhere
    on its road, one state in 12 at the flag.
    """
    rng = np.random.default_rng(spec.seed)
    if spec.environment == "cartpole":
        x = rng.uniform(-MAX_CART_POSITION, MAX_CART_POSITION, spec.size)
        values = _cartpole_states(x, rng.uniform(-np.pi, np.pi, spec.size))
    else:
        values = _mountain_car_states(rng.uniform(*ROAD, spec.size))
    return labelled(spec.environment, values)


def _cart_positions(resolution: float) -> Floats:
    return _symmetric(np.linspace(0, OUT_OF_SIGHT, _count(9 * resolution) + 1)[1:])


def _pole_angles(resolution: float) -> Floats:
    fifth = _count(5 * resolution)
    fine = 0.25 * np.arange(1, 6 * fifth + 1) / (5 * fifth)
    coarse = np.linspace(0.3, np.pi, _count(28 * resolution) + 1)[1:]
    return _symmetric(np.concatenate([fine, coarse]))


def _car_positions(resolution: float) -> Floats:
    third = _count(60 * resolution)
    return ROAD[1] * np.arange(-2 * third, third + 1) / third


def _count(intervals: float) -> int:
    return max(1, round(intervals))


def _symmetric(positive: Floats) -> Floats:
    return np.concatenate([-positive[::-1], [0.0], positive])


def _cartpole_states(x: Floats, theta: Floats) -> Floats:
    still = np.zeros_like(x)
    return np.stack([x, still, theta, still], axis=1)


def _mountain_car_states(position: Floats) -> Floats:
    return np.stack([position, np.zeros_like(position)], axis=1)


def sample_varied(environment: str, count: int, rng: np.random.Generator) -> Floats:
    """States ``[count, D]`` over all that can be seen, more of them near the goal."""
    near = rng.random(count) < 0.5
    if environment == "mountain-car":
        low, high = ROAD
        return _mountain_car_states(
            np.where(near, rng.uniform(0, high, count), rng.uniform(low, high, count))
        )
    angle = np.where(near, rng.uniform(-0.3, 0.3, count), rng.uniform(-np.pi, np.pi, count))
    return _cartpole_states(rng.uniform(-OUT_OF_SIGHT, OUT_OF_SIGHT, count), angle)
