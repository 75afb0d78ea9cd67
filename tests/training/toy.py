"""A tiny environment whose frames spell out its state, importable by worker processes."""

import functools
import os
import signal
import time

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import TimeLimit

from vlmrm.config import DQN, SAC
from vlmrm.envs.base import StateEnv
from vlmrm.errors import UserError

COMMON = {
    "total_timesteps": 360,
    "n_envs": 3,
    "episode_steps": 7,
    "learning_starts": 30,
    "train_freq": 5,
    "gradient_steps": 5,
    "batch_size": 16,
    "buffer_size": 150,
    "net_arch": [8],
    "save_freq": 60,
}
AGENTS = {
    "dqn": DQN(algorithm="dqn", **COMMON),
    "sac": SAC(algorithm="sac", **COMMON),
    "gsde": SAC(algorithm="sac", use_sde=True, ent_coef=0.1, **COMMON),
    "tuned": SAC(
        algorithm="sac",
        symlog_observations=True,
        actor_ema=0.9,
        final_learning_rate=1e-4,
        n_steps=3,
        **COMMON,
    ),
}


class Slider(StateEnv):
    """A bead on a line that shall go to 0. State: position, steps of the episode, episode."""

    state_names = ("position", "step", "episode")

    def __init__(self, discrete=True, fall_at=np.inf, trouble=None):
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), dtype=np.float64)
        self.action_space = gym.spaces.Discrete(3) if discrete else gym.spaces.Box(-2, 2, (1,))
        self.render_mode = None
        self.fall_at = fall_at
        self.trouble = trouble
        self.episode = -1
        self.steps = 0
        self.position = 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = float(self.np_random.uniform(-2, 2))
        self.steps = 0
        self.episode += 1
        return self._observation(), {}

    def step(self, action):
        if self.trouble:
            self.trouble()
        push = action - 1 if isinstance(self.action_space, gym.spaces.Discrete) else action[0]
        self.position += 0.3 * float(push) + 0.02 * float(self.np_random.normal())
        self.steps += 1
        fallen = abs(self.position) > self.fall_at
        return self._observation(), float(reward_of_state(self.state_vector())), fallen, False, {}

    def state_vector(self):
        return np.array([self.position, self.steps, self.episode])

    def getpid(self):
        return os.getpid()

    def _observation(self):
        return np.array([self.position, self.steps / 10])


class Printer:
    """Draws a state by writing its bytes into the picture."""

    shape = (4, 4, 3)

    def render(self, state, out):
        bits = np.frombuffer(np.asarray(state, dtype=np.float64).tobytes(), dtype=np.uint8)
        out.reshape(-1)[: len(bits)] = bits

    def close(self):
        pass


class BrokenPrinter(Printer):
    def __init__(self):
        raise UserError("MUJOCO_GL: no picture today")


def states_in(frames):
    """The states ``[..., 3]`` that frames ``[..., 4, 4, 3]`` show."""
    flat = frames.reshape(*frames.shape[:-3], -1)[..., : 3 * 8]
    return np.ascontiguousarray(flat).view(np.float64)


def reward_of_state(state):
    return np.float32(-np.abs(state[..., 0]) + 0.001 * state[..., 1])


def reward_of_frames(frames):
    return reward_of_state(states_in(frames)).astype(np.float32)


def make_slider(episode_steps=7, **settings):
    return TimeLimit(Slider(**settings), episode_steps)


def slider(**settings):
    return functools.partial(make_slider, **settings)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def hang():
    time.sleep(600)


def fail():
    raise ValueError("the bead is lost")
