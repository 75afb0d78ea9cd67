"""Frames of Gymnasium's robots, several of which share a process."""

import gc
import subprocess
import sys
import threading

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import AddRenderObservation

from vlmrm import FrameInfoWrapper, VLMRewardWrapper
from vlmrm.config import Environment
from vlmrm.envs import make_env
from vlmrm.envs.viewers import frame_problem
from vlmrm.machine.libraries import load_triton_first

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


def observed():
    env = AddRenderObservation(robot())
    return env, lambda: env.step(env.action_space.sample())[0].std()


def not_ours():
    env = robot()
    return env, lambda: env.render().std()


@pytest.mark.parametrize("make", [in_infos, rewarded, own, observed, not_ours])
def test_no_frame_is_black_because_another_environment_is_gone(make):
    rewarded()  # the package is used
    closed, forgotten, new = make(), not_ours(), [make(), make()]
    for _, spread in (closed, forgotten, *new):
        assert spread() > ONE_COLOR
    closed[0].close()
    for _, spread in (forgotten, *new):
        assert spread() > ONE_COLOR
    del closed, forgotten, spread
    gc.collect()
    for _, spread in new:
        assert spread() > ONE_COLOR


def test_frames_are_those_of_an_environment_that_is_alone():
    frames = []
    for number in range(3):
        env = robot(number)
        frames.append(env.render())
        env.close()
    together = [FrameInfoWrapper(robot(number)) for number in range(3)]
    for _ in range(2):
        np.testing.assert_array_equal([env.render() for env in together], frames)


def test_an_environment_can_be_closed_in_another_thread():
    env, spread = rewarded()
    assert spread() > ONE_COLOR
    failures = []
    closing = threading.Thread(target=lambda: failures.extend(closing_problems(env)))
    closing.start()
    closing.join()
    assert failures == []


def closing_problems(env):
    try:
        env.close()
    except Exception as error:
        yield error


def test_a_process_may_end_before_its_environments_are_closed():
    code = (
        "import gymnasium as gym; from vlmrm import FrameInfoWrapper;"
        "env = FrameInfoWrapper(gym.make('Ant-v5', render_mode='rgb_array', width=48, height=48));"
        "env.reset(); env.step(env.action_space.sample())"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize(
    ("picture", "problem"),
    [
        (np.zeros((4, 5, 3), np.uint8), None),
        (np.zeros((4, 5, 3)), "float64 [4, 5, 3]"),
        (np.zeros((4, 5), np.uint8), "uint8 [4, 5]"),
        (None, "NoneType"),
        ([np.zeros((4, 5, 3), np.uint8)], "list"),
    ],
)
def test_a_frame_is_uint8_rgb(picture, problem):
    assert frame_problem(picture) == problem
