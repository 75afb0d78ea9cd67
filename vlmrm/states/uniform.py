"""Uniform states of the classic-control environments."""

from __future__ import annotations

import numpy as np

from vlmrm.config import UniformStates
from vlmrm.data.states import States
from vlmrm.envs.cartpole import MAX_CART_POSITION
from vlmrm.envs.mountain_car import ROAD
from vlmrm.states.grid import cartpole_states, mountain_car_states
from vlmrm.tasks.oracles import labeled


def sample_uniform(spec: UniformStates) -> States:
    """Independent uniform states.

    CartPole: the cart is anywhere on the visible track (+-2.4 m) and the pole at any angle of the
    full circle, so one state in 15 is a success (12 of 180 degrees). MountainCar: the car is
    anywhere on its road, one state in 12 at the flag.
    """
    rng = np.random.default_rng(spec.seed)
    if spec.environment == "cartpole":
        x = rng.uniform(-MAX_CART_POSITION, MAX_CART_POSITION, spec.size)
        values = cartpole_states(x, rng.uniform(-np.pi, np.pi, spec.size))
    else:
        values = mountain_car_states(rng.uniform(*ROAD, spec.size))
    return labeled(spec.environment, values)
