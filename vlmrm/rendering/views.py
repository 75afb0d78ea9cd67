"""Several views of a state in one frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Rendering
from vlmrm.rendering import Renderer, make_renderer


class Views:
    """Renders each state by several renderers of equal shape, one frame above the other."""

    def __init__(self, renderers: Sequence[Renderer]):
        self._renderers = renderers
        height, width, channels = renderers[0].shape
        self.shape = (len(renderers) * height, width, channels)

    def render(self, state: NDArray[np.float64], out: NDArray[np.uint8]) -> None:
        """Renders a state ``[D]`` into ``out``, uint8 RGB ``[V * H, W, 3]``."""
        for renderer, view in zip(
            self._renderers, np.split(out, len(self._renderers)), strict=True
        ):
            renderer.render(state, view)

    def close(self) -> None:
        for renderer in self._renderers:
            renderer.close()


def make_views(environment: str, scenes: Sequence[str], rendering: Rendering) -> Renderer:
    """Makes a renderer of an environment in one or several of its scenes.

    Raises:
        UserError: As in `make_renderer`.
    """
    renderers = [make_renderer(environment, scene, rendering) for scene in scenes]
    return renderers[0] if len(renderers) == 1 else Views(renderers)
