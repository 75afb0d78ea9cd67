"""Which environments a snapshot holds as a whole, and what is restored from it."""

import functools
from collections import Counter, OrderedDict, defaultdict, namedtuple
from enum import IntEnum

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gymnasium.wrappers import ClipReward, RescaleAction, RescaleObservation

from vlmrm.training.vec_env.snapshots import exact, model_checksum, restore, snapshot

BALL = "<mujoco><worldbody><body><freejoint/><geom size='1'/></body></worldbody></mujoco>"


class Keeping(gym.Env):
    """An environment with one more attribute, made of itself."""

    observation_space = action_space = gym.spaces.Box(-1, 1, (1,))

    def __init__(self, attribute):
        self.position = np.zeros(2)
        self.items = [[1.0], [2.0]]
        self.model = mujoco.MjModel.from_xml_string(BALL)
        self.data = mujoco.MjData(self.model)
        self._np_random = np.random.Generator(np.random.Philox(0))
        self.kept = attribute(self)


@pytest.mark.parametrize(
    ("attribute", "whole"),
    [
        (lambda env: env.position.copy(), True),
        (lambda env: np.zeros((3, 2))[1], True),  # a view of memory that nothing else has
        (lambda env: env.position, False),
        (lambda env: env.position[:1], False),
        (lambda env: [env.items[0]], False),
        (lambda env: env.np_random, False),
        (lambda env: env.data.time, True),
        (lambda env: env.data.qpos, False),
    ],
)
def test_environments_are_exact_if_their_attributes_share_nothing(attribute, whole):
    env = Keeping(attribute)
    assert exact(env, model_checksum(env)) is whole


class Gait(IntEnum):
    WALK = 0


@pytest.mark.parametrize(
    "attribute",
    [
        Gait.WALK,
        namedtuple("Goal", "x y")(0.0, 1.0),
        OrderedDict(x=1.0),
        defaultdict(int, x=1),
        Counter("falls"),
        [Counter("falls")],
        {"gait": Gait.WALK},
        np.ma.zeros(2),
    ],
    ids=lambda attribute: type(attribute).__name__,
)
def test_attributes_whose_type_a_checkpoint_would_lose_are_not_exact(attribute):
    env = Keeping(lambda env: attribute)
    assert not exact(env, model_checksum(env))


def counter():
    count = 0

    def step():
        nonlocal count
        count += 1
        return count

    return step


def recursive(env):
    def walk(depth):
        return walk(depth - 1) if depth else env.position

    return walk


def remembering(item, kept=[]):  # noqa: B006
    kept.append(item)


def counted():
    counted.calls += 1


counted.calls = 0


def scaling(env, factor=2.0):
    @functools.wraps(env.reset)
    def scale(position):
        return factor * position

    return scale


def late(env):
    def step():
        return following

    if env is None:
        following = 1
    return step


@pytest.mark.parametrize(
    ("attribute", "whole"),
    [
        (scaling, True),
        (late, False),
        (lambda env: np.linalg.norm, False),  # somebody's object, whatever it does
        (lambda env: env.reset, True),
        (lambda env: lambda: env.position, True),
        (lambda env: lambda x, y=2.0: x * y, True),
        (recursive, True),
        (lambda env: counter(), False),
        (lambda env: env.items.append, False),
        (lambda env: Counter("falls").most_common, False),
        (lambda env: remembering, False),
        (lambda env: counted, False),
    ],
)
def test_functions_are_part_of_an_exact_environment_if_they_keep_nothing(attribute, whole):
    env = Keeping(attribute)
    assert exact(env, model_checksum(env)) is whole


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env: RescaleAction(env, -2.0, np.array([3.0], np.float32)),
        lambda env: RescaleObservation(env, 0.0, 1.0),
        lambda env: ClipReward(env, -1.0, 1.0),
    ],
)
def test_gymnasium_s_wrappers_that_keep_constants_are_exact(wrap):
    env = wrap(Keeping(lambda env: None))
    assert exact(env, model_checksum(env))


def test_mujoco_data_of_a_model_that_is_elsewhere_are_not_exact():
    env = gym.Wrapper(Keeping(lambda env: None))
    assert exact(env, model_checksum(env))
    env.data = env.unwrapped.data
    assert not exact(env, model_checksum(env))


def test_a_restored_generator_goes_on_whatever_its_kind():
    env, other = Keeping(lambda env: None), Keeping(lambda env: None)
    env.np_random.random(3)
    kept = snapshot(env)
    expected = env.np_random.random(3)
    restore(other, kept)
    np.testing.assert_array_equal(other.np_random.random(3), expected)
