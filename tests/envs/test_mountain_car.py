import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from vlmrm.config import Rendering
from vlmrm.envs import make_env
from vlmrm.envs.mountain_car import GOAL_POSITION, MountainCarEnv
from vlmrm.rendering import make_renderer


@pytest.fixture
def env():
    env = MountainCarEnv()
    env.reset(seed=0)
    return env


def render_function(scene):
    renderer = make_renderer("mountain-car", scene, Rendering())

    def render(position, velocity=0.0):
        out = np.zeros(renderer.shape, np.uint8)
        renderer.render(np.array([position, velocity]), out)
        return out

    return render


def push(velocity):
    """Accelerates in the direction of motion, which reaches the goal."""
    return np.array([1.0 if velocity >= 0 else -1.0], dtype=np.float32)


def drive_to_goal(env):
    """Rewards up to and including the arrival."""
    rewards = []
    while env.state_vector()[0] < GOAL_POSITION:
        _, reward, terminated, truncated, _ = env.step(push(env.state_vector()[1]))
        assert not terminated
        assert not truncated
        rewards.append(reward)
    return rewards


def test_passes_gymnasiums_checker(env):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no spec
        check_env(env, skip_render_check=True)


def test_moves_like_gymnasium_up_to_the_goal(env):
    theirs = gym.make("MountainCarContinuous-v0").unwrapped
    ours, _ = env.reset(seed=3)
    observation, _ = theirs.reset(seed=3)
    terminated = False
    while not terminated:
        np.testing.assert_array_equal(ours, observation)
        action = push(observation[1])
        observation, expected, terminated, _, _ = theirs.step(action)
        ours, reward, *_ = env.step(action)
        assert reward == expected
    assert ours[0] == observation[0]


def test_rewards_arrival_once_with_100_and_charges_effort_before(env):
    rewards = drive_to_goal(env)
    assert rewards[-1] == pytest.approx(99.9)
    assert rewards[:-1] == pytest.approx([-0.1] * (len(rewards) - 1))
    for action in (-1.0, 0.0, 1.0):
        assert env.step(np.array([action], dtype=np.float32))[1] == 0


def test_stays_at_the_goal_until_the_reset(env):
    drive_to_goal(env)
    arrived = env.state_vector()
    assert arrived[0] >= GOAL_POSITION
    assert arrived[1] == 0
    for _ in range(5):
        observation, *_ = env.step(np.array([-1.0], dtype=np.float32))
        np.testing.assert_array_equal(env.state_vector(), arrived)
        np.testing.assert_array_equal(observation, arrived.astype(np.float32))

    start, _ = env.reset(seed=1)
    assert -0.6 <= start[0] <= -0.4
    moved, reward, *_ = env.step(np.array([-1.0], dtype=np.float32))
    assert moved[0] != start[0]
    assert reward == pytest.approx(-0.1)


def test_in_the_papers_code_an_arrival_outlasts_the_reset():
    env = make_env("mountain-car", episode_steps=10_000, goal_never_cleared=True)
    env.reset(seed=0)
    drive_to_goal(env.unwrapped)
    env.reset(seed=1)
    start = env.unwrapped.state_vector()
    assert start[0] < 0
    env.step(np.array([1.0], dtype=np.float32))
    np.testing.assert_array_equal(env.unwrapped.state_vector(), start)


def test_observations_do_not_change_afterwards(env):
    observation, *_ = env.step(np.array([1.0], dtype=np.float32))
    kept = observation.copy()
    for _ in range(3):
        env.step(np.array([1.0], dtype=np.float32))
    np.testing.assert_array_equal(observation, kept)


def test_frames_of_the_gymnasium_scene_equal_gymnasiums():
    render = render_function("gymnasium")
    theirs = gym.make("MountainCarContinuous-v0", render_mode="rgb_array").unwrapped
    theirs.reset(seed=1)
    for _ in range(20):
        theirs.step(push(theirs.state[1]))
        np.testing.assert_array_equal(render(*theirs.state), theirs.render())
    for position in np.linspace(-1.2, 0.6, 10):
        theirs.state = np.array([position, 0.01])
        np.testing.assert_array_equal(render(position), theirs.render())


def pixels(frame, color, tolerance=40):
    """Rows and columns of the pixels close to a color."""
    return np.nonzero(np.abs(frame.astype(int) - color).max(axis=-1) < tolerance)


RED, YELLOW = (222, 28, 32), (255, 214, 0)


def test_textured_car_moves_along_the_hill():
    render = render_function("textured")
    rows, columns = np.array(
        [[axis.mean() for axis in pixels(render(p), RED)] for p in (-1.2, -np.pi / 6, 0.5)]
    ).T
    assert columns[0] < columns[1] < columns[2]
    assert rows[1] > rows[0] > rows[2], "valley lowest, flag highest"


def test_textured_car_tilts_with_the_slope():
    render = render_function("textured")

    def tilt(position):
        rows, columns = pixels(render(position), RED)
        return np.polyfit(columns, -rows, 1)[0]

    assert tilt(0.0) > 0.4
    assert tilt(-1.0) < -0.4
    assert abs(tilt(-np.pi / 6)) < 0.1


def test_textured_flag_is_where_the_car_arrives():
    frame = render_function("textured")(GOAL_POSITION)
    _, flag = pixels(frame, YELLOW)
    rows, car = pixels(frame, RED)
    assert len(flag) > 800
    assert car.min() < flag.min() < car.max()
    assert pixels(frame, YELLOW)[0].max() < rows.min(), "the car does not hide the flag"


@pytest.mark.parametrize("position", [-1.2, 0.6])
def test_textured_car_and_flag_stay_within_the_middle_square(position):
    frame = render_function("textured")(position)
    middle = frame[:, 100:500]
    for color in (RED, YELLOW):
        assert len(pixels(frame, color)[0]) == len(pixels(middle, color)[0]) > 0


def test_textured_frames_distinguish_neighboring_positions():
    render = render_function("textured")
    frames = [render(p) for p in (-0.303, -0.302, -0.301)]
    assert np.any(frames[0] != frames[1])
    assert np.any(frames[1] != frames[2])
    changed = np.any(frames[0] != frames[2], axis=-1)
    assert changed.mean() < 0.03, "only the car moves"


def test_textured_frames_depend_only_on_position_and_are_repeatable():
    first, second = render_function("textured"), render_function("textured")
    before = first(0.1)
    first(-0.9)
    np.testing.assert_array_equal(before, first(0.1, velocity=0.05))
    np.testing.assert_array_equal(before, second(0.1))


def test_textured_edges_are_smooth():
    """A sub-pixel move changes edge pixels by less than the contrast of the car."""
    render = render_function("textured")
    step = np.abs(render(-0.3).astype(int) - render(-0.2995)).max()
    assert 0 < step < 160
