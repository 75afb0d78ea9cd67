"""What says success of Gymnasium's pendulum."""

import numpy as np


def upright(env):
    """Whether the pendulum points up, give or take 25 degrees."""
    return bool(np.cos(env.state[0]) > 0.9)
