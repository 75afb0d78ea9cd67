"""An environment that knows nothing of this package, importable by worker processes."""

import atexit
from collections import deque

import gymnasium as gym
import numpy as np

SIZE = 40


class Walker(gym.Env):
    """A point walks on a line to its right end, where the episode ends. The frame is its place."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, render_mode=None, length=3, key="is_success", opaque=False):
        self.observation_space = gym.spaces.Dict(
            {"place": gym.spaces.Box(0, 1, (1,)), "side": gym.spaces.Discrete(2)}
        )
        self.action_space = gym.spaces.Discrete(2)
        self.render_mode = render_mode
        self.length = length
        self.key = key
        self.place = 0
        self.episode = -1
        if opaque:
            self.memory = deque([1.0])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = int(self.np_random.integers(2))
        self.episode += 1
        return self._observation(), {}

    def step(self, action):
        self.place = max(0, self.place + (1 if action else -1))
        arrived = self.place >= self.length
        return self._observation(), float(arrived), arrived, False, {self.key: arrived}

    def render(self):
        frame = np.zeros((SIZE, SIZE, 3), np.uint8)
        frame[..., 0], frame[..., 1] = self.place, self.episode % 256
        return frame

    def _observation(self):
        place = np.array([min(1, self.place / self.length)], np.float32)
        return {"place": place, "side": int(place[0] > 0.5)}


class Pictured(Walker):
    """The same, observed as its frame."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.observation_space = gym.spaces.Box(0, 255, (SIZE, SIZE, 3), np.uint8)

    def _observation(self):
        return self.render()


class Stacked(Walker):
    """The same, observed as zeros of any shape."""

    def __init__(self, shape, **settings):
        super().__init__(**settings)
        self.observation_space = gym.spaces.Box(0, 255, tuple(shape), np.uint8)

    def _observation(self):
        return np.zeros(self.observation_space.shape, np.uint8)


class Steered(Walker):
    """The same, with a continuous action."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.action_space = gym.spaces.Box(-1, 1, (1,))

    def step(self, action):
        return super().step(action[0] > 0)


class Undecided(Walker):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.action_space = gym.spaces.MultiDiscrete([2, 2])


class Fragile(Walker):
    """The same, until its third episode."""

    def step(self, action):
        if self.episode > 1:
            raise ValueError("lost its balance")
        return super().step(action)


class Blind(Walker):
    def render(self):
        return None


def not_an_environment(render_mode):
    return render_mode


def at_the_end(env):
    return env.place >= env.length


def looks_right(env):
    """Of MiniGrid's agent, in a quarter of all states."""
    return env.agent_dir == 0


def undecided(env):
    return "perhaps"


def broken(env):
    raise ValueError("no idea")


def where(env):
    return {"place": env.place, "left": env.length - env.place}


def where_in_turn(env):
    """The same entries in another order after each step."""
    entries = where(env).items()
    return dict(entries if env.place % 2 else reversed(entries))


def where_sometimes(env):
    return where(env) if env.place % 2 else {**where(env), "even": 1}


def where_nobody_knows(env):
    return {"place": float("nan")}


def in_order(env):
    return [env.place]


def captions(state):
    """Two sentences that state the same, and one that is always true."""
    place = "at the end" if state["left"] == 0 else f"{state['left']:g} steps away"
    return [f"a point {place}", f"the point is {place}", "a line"]


def one_caption(state):
    return "a point"


def misnamed(state):
    return f"a point at {state['plaec']}"


def silent(state):
    return [] if state["left"] == 0 else "a point"


def blank(state):
    return ["a point", " "]


def counting(state):
    return state["place"]


def wordy(state):
    return "a point " * 60


def raising(state):
    raise ZeroDivisionError("no steps")


def talkative(state):
    return [f"a point, number {number}" for number in range(2001)]


class Talking(Walker):
    """Prints as simulators do: when it is made, unfinished lines, and when the process ends."""

    def __init__(self, **settings):
        super().__init__(**settings)
        print("simulator: loading ...", end="")
        atexit.register(print, "simulator: shutting down")
