"""Frames of Gymnasium's robots, several of which share a process."""

import gc

import gymnasium as gym
import numpy as np
import pytest

from vlmrm import FrameInfoWrapper, VLMRewardWrapper
from vlmrm.config import Environment
from vlmrm.envs import make_env
from vlmrm.machine.libraries import load_triton_first
from vlmrm.rendering.live import draw

SIZE = {"width": 48, "height": 48}
ONE_COLOR = 1
"""Standard deviation of a frame that shows nothing; the robot's are beyond 90."""


@pytest.fixture(autouse=True, scope="module")
def _triton():
    load_triton_first()


def robot(number=0):
    env = gym.make("Ant-v5", render_mode="rgb_array", **SIZE)
    env.reset(seed=number)
    return env


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "forgotten"])
def test_frames_stay_as_they_are_when_other_environments_go(closes):
    old = [robot(number) for number in range(3)]
    frames = [draw(env) for env in old]
    new = [robot(number) for number in range(4)]
    np.testing.assert_array_equal([draw(env) for env in new][:3], frames)
    while old:
        env = old.pop()
        if closes:
            env.close()
        del env
        gc.collect()
        np.testing.assert_array_equal([draw(env) for env in new][:3], frames)


def in_infos():
    env = FrameInfoWrapper(robot())
    return env, lambda: env.step(env.action_space.sample())[-1]["frame"].std()


def rewarded():
    env = VLMRewardWrapper(robot(), lambda frames: frames.std(axis=(1, 2, 3)))
    return env, lambda: env.step(env.action_space.sample())[1]


def own():
    env = make_env("ant", 20, own=Environment(id="Ant-v5", kwargs=SIZE))
    env.reset(seed=0)
    return env, lambda: env.render().std()


@pytest.mark.parametrize("make", [in_infos, rewarded, own])
def test_no_frame_is_black_because_another_environment_is_gone(make):
    old, new = make(), [make() for _ in range(3)]
    for _, spread in [old, *new]:
        assert spread() > ONE_COLOR
    old[0].close()
    del old
    gc.collect()
    for _, spread in new:
        assert spread() > ONE_COLOR
