import os
import subprocess
import sys

import numpy as np
import pytest

from vlmrm.config import Rendering
from vlmrm.errors import MissingDependency
from vlmrm.rendering import make_renderer, vulkan
from vlmrm.rendering.filament import CONTRAST, SUPERSAMPLING, develop
from vlmrm.rendering.parallel import BATCH, draw, render_states
from vlmrm.rendering.scenes import scene_camera, scene_model
from vlmrm.training.vec_env.spec import EnvSpec
from vlmrm.training.vec_env.vector_env import VectorEnv

SIZE = 96
SMALL = Rendering(humanoid_size=SIZE)

try:
    vulkan.require_filament()
    MISSING = ""
except MissingDependency as error:
    MISSING = str(error)
needs_vulkan = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def standing(x=0.0, knee=0.0):
    state = np.zeros(47)
    state[:7] = x, 0, 1.28, 1, 0, 0, 0
    state[scene_model("gymnasium").joint("left_knee").qposadr[0]] = knee
    return state


BEHIND_THE_CAMERA = standing(x=30)


@pytest.fixture(scope="module")
def renderer():
    renderer = make_renderer("humanoid", "filament", SMALL)
    yield renderer
    renderer.close()


def robot(renderer):
    """Where the frame of a standing robot differs from the empty scene, ``[H, W]``."""
    frame, empty = draw(renderer, np.stack([standing(), BEHIND_THE_CAMERA])).astype(int)
    return np.abs(frame - empty).max(axis=-1) > 20


@needs_vulkan
def test_the_robot_stands_upright_in_the_middle_of_a_lit_scene(renderer):
    (frame,) = draw(renderer, standing()[None])
    assert frame.shape == (SIZE, SIZE, 3)
    assert 60 < frame.mean() < 220
    assert frame.std() > 20
    sky = frame[: SIZE // 8].reshape(-1, 3).mean(axis=0)
    assert sky[2] > sky[0] + 10
    rows, columns = np.nonzero(robot(renderer)[: SIZE * 6 // 10])  # above its shadow
    assert columns.mean() == pytest.approx(SIZE / 2, abs=2)
    assert 0.2 * SIZE < rows.min() < 0.4 * SIZE


@needs_vulkan
def test_the_robots_left_is_right_in_the_picture(renderer):
    (frame,) = draw(renderer, standing()[None]).astype(int)
    red, green, blue = np.moveaxis(frame, -1, 0)
    left = np.nonzero((blue - red > 60) & (green < 110))[1]
    right = np.nonzero(red - blue > 90)[1]
    assert left.mean() > SIZE / 2 > right.mean()


@needs_vulkan
def test_postures_differ_and_velocities_do_not(renderer):
    moving = standing()
    moving[24:] = 5
    a, b, c = draw(renderer, np.stack([standing(), standing(knee=-1.5), moving]))
    assert (np.abs(a.astype(int) - b).max(axis=-1) > 20).mean() > 0.002
    np.testing.assert_array_equal(a, c)


@needs_vulkan
def test_a_frame_depends_only_on_its_state(renderer):
    states = np.stack([standing(knee=-k) for k in (0, 0.5, 1, 1.5)])
    forwards, backwards = draw(renderer, states), draw(renderer, states[::-1])
    np.testing.assert_array_equal(forwards, backwards[::-1])


@needs_vulkan
def test_it_shows_the_same_robot_through_the_same_camera_as_textured_fixed(renderer):
    other = make_renderer("humanoid", "textured-fixed", SMALL)
    ours, theirs = (robot(r)[: SIZE * 6 // 10] for r in (renderer, other))
    other.close()
    assert (ours & theirs).sum() / (ours | theirs).sum() > 0.7


def test_the_camera_is_that_of_textured_fixed():
    views = [scene_camera(s, scene_model(s)) for s in ("filament", "textured-fixed")]
    ours, theirs = ([v.distance, v.elevation, v.azimuth, *v.lookat, v.type] for v in views)
    assert ours == theirs


@needs_vulkan
def test_renderers_do_not_disturb_each_other(renderer):
    before = draw(renderer, standing()[None])
    other = make_renderer("humanoid", "filament", Rendering(humanoid_size=32))
    opengl = make_renderer("humanoid", "textured-fixed", SMALL)
    assert draw(other, standing()[None]).shape == (1, 32, 32, 3)
    draw(opengl, standing()[None])
    np.testing.assert_array_equal(draw(renderer, standing()[None]), before)
    other.close()
    other.close()  # closing again does nothing
    opengl.close()
    np.testing.assert_array_equal(draw(renderer, standing()[None]), before)


@needs_vulkan
def test_worker_processes_render_the_same_frames(renderer):
    knees = np.linspace(0, -1.5, BATCH + 3)
    states = np.stack([standing(knee=knee) for knee in knees])
    batches = list(render_states("humanoid", "filament", SMALL, states, workers=2))
    assert len(batches) == 2
    np.testing.assert_array_equal(np.concatenate(batches), draw(renderer, states))


def humanoid():
    from vlmrm.envs import make_env

    return make_env("humanoid", 5)


def small_filament():
    return make_renderer("humanoid", "filament", SMALL)


@needs_vulkan
def test_training_workers_render_the_states_that_they_step(renderer):
    env = VectorEnv(EnvSpec(humanoid, 2, small_filament, slots=1), 2)
    try:
        env.seed(0)
        env.reset()
        env.step_async(np.zeros((2, 17), np.float32))
        env.step_wait()
        env.finish_frames()
        states, frames = env.states.copy(), env.frames(0, 1).copy().reshape(2, SIZE, SIZE, 3)
    finally:
        env.close()
    np.testing.assert_array_equal(frames, draw(renderer, states))


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


MAKE = (
    "from vlmrm.config import Rendering\n"
    "from vlmrm.rendering import make_renderer\n"
    "renderer = make_renderer('humanoid', 'filament', Rendering(humanoid_size=32))\n"
)


@needs_vulkan
def test_it_prints_nothing_and_exits_cleanly_without_close():
    result = run(MAKE + "renderer = None\n" + MAKE + "print(renderer.shape)")
    assert (result.returncode, result.stdout) == (0, "(32, 32, 3)\n"), result.stderr


def test_a_missing_vulkan_names_the_packages_to_install():
    nowhere = {"VK_DRIVER_FILES": "/nonexistent.json", "VK_ICD_FILENAMES": "/nonexistent.json"}
    result = run(MAKE, **nowhere)
    assert result.returncode == 1  # a Python error, not an abort
    last = result.stderr.strip().splitlines()[-1]
    assert "MissingDependency: scene: filament needs Vulkan" in last
    assert "libvulkan1 and mesa-vulkan-drivers" in last


def test_a_mujoco_without_filament_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mujoco.mjrf", None)
    with pytest.raises(MissingDependency, match=r"needs MuJoCo 4 .*pip install 'mujoco>=4'"):
        vulkan.require_filament.__wrapped__()


def test_tones_are_those_of_a_photograph():
    light = np.repeat(np.arange(256, dtype=np.uint8), SUPERSAMPLING)
    light = np.broadcast_to(light[None, :, None], (SUPERSAMPLING, len(light), 3))
    out = np.zeros((1, 256, 3), np.uint8)
    develop(light, out)
    tones = out[0, :, 0].astype(int)
    assert (tones[0], tones[255]) == (0, 255)
    assert (np.diff(tones) >= 0).all()
    # Half of the tones' range is 21 % of the light, as in sRGB, with any contrast.
    assert 0 < CONTRAST < 1
    assert tones[55] == pytest.approx(128, abs=2)
