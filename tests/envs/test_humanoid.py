import copy
import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from vlmrm.config import Rendering
from vlmrm.envs import make_env
from vlmrm.envs.humanoid import humanoid_model
from vlmrm.errors import UserError
from vlmrm.rendering import make_renderer

SMALL = Rendering(humanoid_size=64)


@pytest.fixture
def env():
    env = make_env("humanoid", episode_steps=50)
    yield env
    env.close()


def standing(x=0.0, y=0.0):
    state = np.zeros(47)
    state[:7] = x, y, 1.28, 1, 0, 0, 0
    return state


def render(scene, *states, rendering=SMALL):
    renderer = make_renderer("humanoid", scene, rendering)
    frames = np.zeros((len(states), *renderer.shape), np.uint8)
    for state, frame in zip(states, frames, strict=True):
        renderer.render(state, frame)
    renderer.close()
    return frames


def differing(a, b):
    """Share of the pixels that clearly differ."""
    return (np.abs(a.astype(int) - b).max(axis=-1) > 20).mean()


def test_moves_like_gymnasium(env):
    theirs = gym.make("Humanoid-v5", terminate_when_unhealthy=False)
    ours_first, _ = env.reset(seed=3)
    theirs_first, _ = theirs.reset(seed=3)
    np.testing.assert_array_equal(ours_first, theirs_first)
    env.action_space.seed(0)
    for _ in range(20):
        action = env.action_space.sample()
        ours, expected = env.step(action), theirs.step(action)
        np.testing.assert_array_equal(ours[0], expected[0])
        assert ours[1] == expected[1]


def test_falls_without_termination_and_is_truncated_by_the_time_limit(env):
    env.reset(seed=0)
    ends = [env.step(np.zeros(17))[2:4] for _ in range(50)]
    assert not any(terminated for terminated, _ in ends)
    assert [truncated for _, truncated in ends] == [False] * 49 + [True]
    height = env.unwrapped.state_vector()[2]
    assert height < 1, "it should have fallen below Gymnasium's limit by then"


def test_a_step_takes_15_ms(env):
    assert env.unwrapped.dt == pytest.approx(0.015)


def test_state_vector_is_position_then_velocity(env):
    env.reset(seed=0)
    state, data = env.unwrapped.state_vector(), env.unwrapped.data
    np.testing.assert_array_equal(state, [*data.qpos, *data.qvel])
    names = env.unwrapped.state_names
    assert len(names) == len(state) == len(set(names))
    model = humanoid_model()
    assert names.index("left_knee") == model.joint("left_knee").qposadr[0]
    assert names.index("left_knee_velocity") == model.nq + model.joint("left_knee").dofadr[0]


def test_copies_do_not_terminate_either(env):
    twin = copy.deepcopy(env.unwrapped)
    twin.reset(seed=0)
    assert not any(twin.step(np.zeros(17))[2] for _ in range(50))


@pytest.mark.parametrize("scene", ["gymnasium", "textured", "textured-fixed"])
def test_frames_show_only_the_posture(scene):
    straight, bent, moving = standing(), standing(), standing()
    bent[humanoid_model().joint("left_shoulder1").qposadr[0]] = -1.2
    moving[24:] = 5
    a, b, c, again = render(scene, straight, bent, moving, straight)
    assert differing(a, b) > 0.002
    np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(a, again)


def test_the_top_row_is_the_sky():
    (frame,) = render("textured-fixed", standing())
    red, blue = frame[0, :, 0].mean(), frame[0, :, 2].mean()
    assert blue > red + 30


def robot_column(frame):
    """Mean column of the orange and blue accents, which are nowhere else in the frame."""
    red, green, blue = np.moveaxis(frame.astype(int), -1, 0)
    accents = (red - blue > 90) | ((blue - red > 90) & (green < 110))
    return np.nonzero(accents)[1].mean()


def test_the_fixed_camera_stays_while_the_tracking_camera_follows():
    still, moved = standing(), standing(x=0.6, y=0.6)
    fixed = [robot_column(f) for f in render("textured-fixed", still, moved)]
    tracking = [robot_column(f) for f in render("textured", still, moved)]
    assert fixed[1] > fixed[0] + 6  # it faces -x: the robot's left is on the right of the frame
    assert tracking[1] == pytest.approx(tracking[0], abs=1)


def test_the_gymnasium_scene_looks_like_gymnasium():
    size = 128
    theirs = gym.make(
        "Humanoid-v5", render_mode="rgb_array", width=size, height=size, camera_name="track"
    )
    theirs.reset(seed=0)
    expected = theirs.render().astype(float)
    state = theirs.unwrapped.state_vector()
    theirs.close()
    (ours,) = render("gymnasium", state, rendering=Rendering(humanoid_size=size, shadows=True))
    # Edges differ: Gymnasium's are smoothed.
    assert np.median(np.abs(ours - expected)) <= 2
    assert np.abs(ours - expected).mean() < 8


def test_shadows_darken_the_floor():
    plain = render("textured-fixed", standing())
    shaded = render(
        "textured-fixed", standing(), rendering=Rendering(humanoid_size=64, shadows=True)
    )
    assert shaded.mean() < plain.mean() - 0.3


def test_renderers_do_not_disturb_each_other():
    one = make_renderer("humanoid", "textured-fixed", SMALL)
    first, second = np.zeros(one.shape, np.uint8), np.zeros(one.shape, np.uint8)
    one.render(standing(), first)
    other = make_renderer("humanoid", "gymnasium", Rendering(humanoid_size=96))
    other.render(standing(), np.zeros(other.shape, np.uint8))
    other.close()
    one.render(standing(), second)
    one.close()
    np.testing.assert_array_equal(first, second)


def test_a_renderer_that_was_not_closed_does_not_disturb_the_next():
    renderer = make_renderer("humanoid", "textured-fixed", SMALL)
    frames = np.zeros((2, *renderer.shape), np.uint8)
    renderer.render(standing(), frames[0])
    renderer = make_renderer("humanoid", "textured-fixed", SMALL)  # the first is collected now
    renderer.render(standing(), frames[1])
    renderer.close()
    np.testing.assert_array_equal(frames[0], frames[1])


def test_unknown_names_are_user_errors():
    with pytest.raises(UserError, match="did you mean 'humanoid'"):
        make_env("humanoyd", episode_steps=1)
    with pytest.raises(UserError, match="no scene 'texturd'; did you mean 'textured'"):
        make_renderer("humanoid", "texturd", SMALL)


def test_a_missing_opengl_names_the_packages_to_install():
    code = (
        "from vlmrm.config import Rendering\n"
        "from vlmrm.rendering import make_renderer\n"
        "make_renderer('humanoid', 'gymnasium', Rendering())"
    )
    # EGL finds no driver, as on a machine without one.
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"__EGL_VENDOR_LIBRARY_DIRS": "/nonexistent", "MUJOCO_GL": "egl"},
        capture_output=True,
        text=True,
    )
    assert "UserError: MUJOCO_GL: OpenGL cannot start" in result.stderr
    assert "libegl1" in result.stderr and "libgl1-mesa-dri" in result.stderr


def test_mujoco_may_be_imported_first():
    code = (
        "import mujoco; from vlmrm.config import Rendering;"
        "from vlmrm.rendering import make_renderer;"
        "print(make_renderer('humanoid', 'gymnasium', Rendering()).shape)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "MUJOCO_GL"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert result.stdout.strip() == "(224, 224, 3)", result.stderr


def test_classic_control_does_not_load_mujoco():
    code = (
        "import sys; from vlmrm.envs import make_env; make_env('cartpole', 5);"
        "print('mujoco' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr
