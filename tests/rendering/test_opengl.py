import os
import subprocess
import sys
import warnings

import pytest

from vlmrm.config import Rendering
from vlmrm.rendering import make_renderer, opengl


@pytest.fixture
def context():
    renderer = make_renderer("humanoid", "gymnasium", Rendering(humanoid_size=32))
    opengl.warn_if_software.cache_clear()
    yield
    renderer.close()
    opengl.warn_if_software.cache_clear()


def test_software_rendering_despite_a_gpu_warns_once(context, monkeypatch):
    monkeypatch.setattr(opengl, "has_nvidia_gpu", lambda: True)
    monkeypatch.setattr(opengl, "gl_renderer", lambda: "llvmpipe (LLVM 15)")
    with pytest.warns(UserWarning, match=r"in software \(llvmpipe.*libEGL_nvidia"):
        opengl.warn_if_software()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opengl.warn_if_software()


@pytest.mark.parametrize(("gpu", "name"), [(True, "NVIDIA H200/PCIe/SSE2"), (False, "llvmpipe")])
def test_hardware_and_machines_without_a_gpu_do_not_warn(context, monkeypatch, gpu, name):
    monkeypatch.setattr(opengl, "has_nvidia_gpu", lambda: gpu)
    monkeypatch.setattr(opengl, "gl_renderer", lambda: name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opengl.warn_if_software()


@pytest.mark.parametrize(
    ("gl", "platform"), [("glfw", "glx"), ("", ""), ("disabled", "osmesa"), ("EGL", "wayland")]
)
def test_what_other_programs_set_for_opengl_does_not_count(gl, platform):
    code = (
        "from vlmrm.config import Rendering; from vlmrm.rendering import make_renderer;"
        "print(make_renderer('humanoid', 'gymnasium', Rendering(humanoid_size=32)).shape)"
    )
    others = {"MUJOCO_GL": gl, "PYOPENGL_PLATFORM": platform, "SDL_VIDEODRIVER": "x11"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **others},
        capture_output=True,
        text=True,
    )
    assert run.stdout.strip() == "(32, 32, 3)", run.stderr


def test_frames_are_rendered_on_the_gpu_that_torch_uses(monkeypatch):
    monkeypatch.setenv("MUJOCO_EGL_DEVICE_ID", "none")  # so that it is restored
    monkeypatch.delenv("MUJOCO_EGL_DEVICE_ID")
    for device in ("auto", "cpu", "cuda"):
        opengl.render_on(device)
        assert "MUJOCO_EGL_DEVICE_ID" not in opengl.os.environ
    opengl.render_on("cuda:2")
    assert opengl.os.environ["MUJOCO_EGL_DEVICE_ID"] == "2"


def test_a_rendering_device_that_the_user_chose_is_kept(monkeypatch):
    monkeypatch.setenv("MUJOCO_EGL_DEVICE_ID", "1")
    opengl.render_on("cuda:2")
    assert opengl.os.environ["MUJOCO_EGL_DEVICE_ID"] == "1"


@pytest.mark.gpu
@pytest.mark.usefixtures("context")
def test_a_gpu_renders():
    assert not opengl.in_software(), opengl.gl_renderer()
