"""Grids of states of the classic-control environments.

Frames of these environments show the cart's position and the pole's angle, or the car's position.
Velocities are not visible, and are 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import GridStates
from vlmrm.data.states import States
from vlmrm.envs.cartpole import OUT_OF_SIGHT
from vlmrm.envs.mountain_car import ROAD
from vlmrm.tasks.oracles import labeled

Floats = NDArray[np.float64]


def sample_grid(spec: GridStates) -> States:
    """A rectangular grid over everything that is visible.

    CartPole: positions times angles, 25 x 117 at resolution 1. Positions are 0.39 m apart, and half
    of that beyond 2.3 m, where the cart leaves the frame and rewards change faster. The angle is
    sampled every 0.01 rad up to 0.3 (around the goal, including the +-0.25 of the landscape), and
    every 0.1 rad from there to +-pi. MountainCar: 181 positions, 0.01 apart.

    At every resolution the grid is symmetric and contains 0 and both ends of each range.
    """
    if spec.environment == "cartpole":
        x, theta = np.meshgrid(
            _cart_positions(spec.resolution), _pole_angles(spec.resolution), indexing="ij"
        )
        values = cartpole_states(x.ravel(), theta.ravel())
    else:
        values = mountain_car_states(_car_positions(spec.resolution))
    return labeled(spec.environment, values)


def _cart_positions(resolution: float) -> Floats:
    intervals = _count(9 * resolution)
    even = np.linspace(0, OUT_OF_SIGHT, intervals + 1)
    outer = even[intervals - intervals // 3 :]
    return _symmetric(np.sort(np.concatenate([even[1:], (outer[1:] + outer[:-1]) / 2])))


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


def cartpole_states(x: Floats, theta: Floats) -> Floats:
    """States ``[N, 4]`` at rest, by position in meters and angle in radians."""
    still = np.zeros_like(x)
    return np.stack([x, still, theta, still], axis=1)


def mountain_car_states(position: Floats) -> Floats:
    """States ``[N, 2]`` at rest, by position."""
    return np.stack([position, np.zeros_like(position)], axis=1)
