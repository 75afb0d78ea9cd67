"""Renders the humanoid with MuJoCo's Filament: physically based shading through Vulkan."""

from __future__ import annotations

import contextlib
import ctypes
import os
import weakref
from collections.abc import Iterator
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Rendering
from vlmrm.rendering.scenes import place, scene_camera, scene_model
from vlmrm.rendering.vulkan import require_filament

SUPERSAMPLING = 2
"""Rendered pixels along each side of a frame's pixel: smooth edges, at four times the cost."""

CONTRAST = 0.5
"""Weight, 0 to 1, of an S-shaped tone curve, as in photographic film."""


class FilamentRenderer:
    """Renders humanoid states in the ``filament`` scene; use it only in the thread that made it.

    Filament's own post-processing adds new noise to every frame. It is off, so that a frame depends
    only on its state; edges are smoothed and tones mapped here instead.
    """

    def __init__(self, rendering: Rendering) -> None:
        """Starts Filament.

        Raises:
            MissingDependency: Filament or Vulkan is not installed.
        """
        require_filament()
        from mujoco import mjrf

        size = rendering.humanoid_size
        self.shape = (size, size, 3)
        self._model = scene_model("filament")
        self._data = mujoco.MjData(self._model)
        side = SUPERSAMPLING * size
        self._pixels = np.empty((side, side, 3), np.uint8)
        with _silence():
            context = mjrf.Context(
                mjrf.ContextConfig(graphics_api=mjrf.GraphicsApi.GRAPHICS_API_VULKAN)
            )
        scene = context.create_scene(mjrf.SceneParams())
        scene.configure_from_model(self._model)
        resources = mjrf.ModelResources(context, self._model)
        lights = mjrf.ModelLights(scene, resources)
        renderables = mjrf.ModelRenderables(scene, resources)
        target = context.create_render_target(
            mjrf.RenderTargetConfig(
                width=side,
                height=side,
                color_format=mjrf.PixelFormat.PIXEL_FORMAT_RGB8,
                depth_format=mjrf.PixelFormat.PIXEL_FORMAT_DEPTH32F,
            )
        )
        request = mjrf.RenderRequest(
            scene=scene,
            camera=self._camera(),
            viewport=mjrf.Rect(0, 0, side, side),
            target=target,
            post_processing=False,
        )
        read = mjrf.ReadRequest(target=target)
        read.set_buffer(self._pixels)
        # The only references; freed from last to first, each before the objects that it uses.
        self._parts = [context, scene, resources, lights, renderables, target, request, read]
        self._free = weakref.finalize(self, _free, self._parts)

    def _camera(self) -> Any:
        from mujoco import mjrf

        mujoco.mj_forward(self._model, self._data)
        camera = scene_camera("filament", self._model)
        view = mujoco.mjv_camera2GLCamera(self._model, self._data, camera)
        lens = ("frustum_bottom", "frustum_top", "frustum_near", "frustum_far")
        return mjrf.Camera(
            **{name: getattr(view, name) for name in ("pos", "forward", "up", *lens)}
        )

    def render(self, state: NDArray[np.float64], out: NDArray[np.uint8]) -> None:
        """Renders the posture of a state, which begins with `qpos`, into ``out`` ``[H, W, 3]``."""
        context, _, _, lights, renderables, _, request, read = self._parts
        place(self._model, self._data, state)
        lights.update(self._data)
        renderables.update(self._data)
        context.wait_for_frame(context.render([request], [read]))
        develop(self._pixels, out)

    def close(self) -> None:
        self._free()


def develop(light: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Maps linear light to the tones of a photograph.

    Args:
        light: ``[S * H, S * W, 3]`` with S = `SUPERSAMPLING`; 255 is the brightest.
        out: The frame ``[H, W, 3]``, in sRGB.
    """
    n = SUPERSAMPLING
    total = sum(light[i::n, j::n].astype(np.uint16) for i in range(n) for j in range(n))
    out[:] = _TONES[total]


def _tones() -> NDArray[np.uint8]:
    """The tone of each possible sum of the rendered pixels of one pixel."""
    linear = np.linspace(0, 1, 255 * SUPERSAMPLING**2 + 1)
    tone = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    tone += CONTRAST * (tone * tone * (3 - 2 * tone) - tone)
    return np.round(255 * tone).astype(np.uint8)


_TONES = _tones()


def _free(parts: list[Any]) -> None:
    while parts:
        parts.pop()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Suppresses the messages that Filament prints to standard output when it starts."""
    flush = ctypes.CDLL(None).fflush
    flush(None)
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
        flush(None)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
