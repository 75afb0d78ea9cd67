"""Frames of states as PNG, rendered on request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlmrm.config import Rendering
from vlmrm.data.pictures import encode_png
from vlmrm.rendering import make_renderer


class Pictures:
    """Renders states as PNG, for any thread.

    A separate thread renders, because an OpenGL context belongs to the thread that created it, and
    several threads serve the page.

    Args:
        environment: Name of the environment that the states belong to.
        scene: One of its scenes.
        rendering: Image size and shadows.
        values: State vectors ``[N, D]``.

    Raises:
        UserError: No environment or scene has this name, or rendering cannot start.
    """

    def __init__(
        self, environment: str, scene: str, rendering: Rendering, values: NDArray[np.float64]
    ):
        self._values = values
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rendering")
        try:
            started = self._thread.submit(make_renderer, environment, scene, rendering)
            self._renderer = started.result()
        except BaseException:
            self._thread.shutdown()
            raise

    def png(self, row: int) -> bytes:
        """The frame of the state in a row, as PNG."""
        return self._thread.submit(self._render, row).result()

    def close(self) -> None:
        self._thread.submit(self._renderer.close).result()
        self._thread.shutdown()

    def _render(self, row: int) -> bytes:
        frame = np.empty(self._renderer.shape, np.uint8)
        self._renderer.render(self._values[row], frame)
        return encode_png(Image.fromarray(frame))
