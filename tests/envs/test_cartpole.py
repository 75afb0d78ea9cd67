import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from vlmrm.config import Rendering
from vlmrm.envs.cartpole import OUT_OF_SIGHT, CartPoleEnv, wrap_angle
from vlmrm.rendering import make_renderer


@pytest.fixture
def env():
    env = CartPoleEnv()
    env.reset(seed=0)
    return env


@pytest.fixture(scope="module")
def render():
    renderer = make_renderer("cartpole", "gymnasium", Rendering())

    def render(*state):
        out = np.zeros(renderer.shape, np.uint8)
        renderer.render(np.array(state, dtype=float), out)
        return out

    return render


def test_passes_gymnasiums_checker(env):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unbounded observations, no spec
        check_env(env, skip_render_check=True)


def test_moves_like_gymnasium_until_it_would_terminate(env):
    theirs = gym.make("CartPole-v1").unwrapped
    for seed in range(3):
        ours, _ = env.reset(seed=seed)
        observation, _ = theirs.reset(seed=seed)
        np.testing.assert_array_equal(ours, observation)
        terminated = False
        while not terminated:
            observation, _, terminated, _, _ = theirs.step(1)
            ours, reward, *_ = env.step(1)
            np.testing.assert_allclose(ours, observation, rtol=1e-5)
            assert reward == (not terminated)


def test_never_terminates_and_keeps_the_angle_in_range(env):
    signs = set()
    for t in range(600):
        observation, reward, terminated, truncated, _ = env.step(int(t // 40 % 2))
        assert not terminated
        assert not truncated
        assert env.observation_space.contains(observation)
        x, _, theta, _ = env.state_vector()
        assert -np.pi <= theta < np.pi
        assert reward == (abs(x) <= 2.4 and abs(theta) <= np.radians(12))
        signs.add(np.sign(theta) * (abs(theta) > 3))
    assert {-1, 1} <= signs, "the pole must swing through the bottom"


def test_steps_after_a_fall_do_not_warn(env):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(100):
            env.step(1)


def test_the_state_vector_is_a_copy(env):
    before = env.state_vector()
    env.step(1)
    assert before.dtype == np.float64
    assert len(before) == len(env.state_names)
    assert not np.array_equal(before, env.state_vector())
    before[:] = 7
    assert not np.any(env.state_vector() == 7)


@pytest.mark.parametrize("angle", [-np.pi, -3, 0, 0.25, 3])
@pytest.mark.parametrize("turns", [-2, 0, 1])
def test_wrap_angle(angle, turns):
    assert wrap_angle(angle + 2 * np.pi * turns) == pytest.approx(angle, abs=1e-9)


def test_frames_equal_gymnasiums(render):
    theirs = gym.make("CartPole-v1", render_mode="rgb_array").unwrapped
    theirs.reset(seed=1)
    frames = [theirs.render()]
    states = [theirs.state]
    for state in [(0.3, 0, 0.5, 0), (-2.2, 1, -2, 3), (2.9, 0, -1.5, 0)]:
        theirs.state = np.array(state)
        states.append(state)
        frames.append(theirs.render())
    for state, frame in zip(states, frames, strict=True):
        np.testing.assert_array_equal(render(*state), frame)


def test_only_position_and_angle_are_visible(render):
    np.testing.assert_array_equal(render(0.3, 0, 0.4, 0), render(0.3, -2, 0.4, 5))
    assert np.any(render(0.3, 0, 0.4, 0) != render(0.5, 0, 0.4, 0))
    assert np.any(render(0.3, 0, 0.4, 0) != render(0.3, 0, 0.6, 0))


@pytest.mark.parametrize("x", [OUT_OF_SIGHT, 10, 1e4])
@pytest.mark.parametrize("side", [-1, 1])
def test_the_track_is_empty_once_the_cart_is_out_of_sight(render, x, side):
    empty = render(100, 0, 0, 0)
    for theta in (0, np.pi / 2, -np.pi / 2, 3):
        np.testing.assert_array_equal(render(side * x, 0, theta, 0), empty)
    assert np.any(render(side * (OUT_OF_SIGHT - 0.2), 0, -side * np.pi / 2, 0) != empty)


def test_closing_one_renderer_leaves_the_others(render):
    other = make_renderer("cartpole", "gymnasium", Rendering())
    before = render(0, 0, 0.1, 0)
    other.close()
    np.testing.assert_array_equal(render(0, 0, 0.1, 0), before)
