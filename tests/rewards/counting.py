"""An environment whose frame shows how many steps the episode has taken, and in which episode."""

from typing import ClassVar

import gymnasium as gym
import numpy as np


class CountingEnv(gym.Env):
    """Ends after `length` steps; its own reward is -1."""

    metadata: ClassVar = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"
    observation_space = gym.spaces.Box(0, 1000, (2,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, length=3):
        self.length = length
        self.episode = self.steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.steps = self.episode + 1, 0
        return self._observe(), {}

    def step(self, action):
        self.steps += 1
        return self._observe(), -1.0, False, self.steps == self.length, {}

    def render(self):
        frame = np.zeros((2, 4, 3), np.uint8)
        frame[..., 0], frame[..., 1] = self.episode, self.steps
        return frame

    def _observe(self):
        return np.array([self.episode, self.steps], np.float32)


def shown(frames):
    """A reward that tells the episode and step that each frame shows: 100 * episode + step."""
    return 100.0 * frames[:, 0, 0, 0] + frames[:, 0, 0, 1]
