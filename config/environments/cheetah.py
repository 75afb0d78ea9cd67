"""What says success of the cheetah, one of Gymnasium's robots."""

import numpy as np


def flipped(env):
    """Whether the cheetah lies on its back: its torso points downwards."""
    # The joint `rooty` is the pitch in radians, which counts full turns.
    return bool(np.cos(env.data.qpos[2]) < -0.7)
