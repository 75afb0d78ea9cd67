"""Frames of many states, rendered by several processes."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Rendering, default_scene
from vlmrm.data.frames import FrameWriter
from vlmrm.data.states import States
from vlmrm.machine.processes import map_in_processes, worker_count
from vlmrm.rendering import Renderer, make_renderer
from vlmrm.terminal.bars import bar

BATCH = 32
"""Frames that one process renders at a time."""

Frames = NDArray[np.uint8]


def render_all(
    states: States, scene: str | None = None, rendering: Rendering | None = None
) -> Frames:
    """Renders a set of states in this process, and keeps all of its frames in memory.

    Args:
        states: The states.
        scene: One of the scenes of their environment; by default, the first one.
        rendering: Image size and shadows; by default, those of a configuration.

    Returns:
        Uint8 RGB ``[N, H, W, 3]``.

    Raises:
        UserError: As in `render_states`.
    """
    name = states.environment
    chosen = scene or default_scene(name)
    batches = render_states(name, chosen, rendering or Rendering(), states.values, workers=1)
    return np.concatenate(list(batches))


def render_states(
    environment: str,
    scene: str,
    rendering: Rendering,
    states: NDArray[np.float64],
    workers: int | None = None,
) -> Iterator[Frames]:
    """Renders states ``[N, D]``; yields batches of uint8 RGB frames ``[n, H, W, 3]``, in order.

    The frames do not depend on the number of workers. Batches are rendered only slightly ahead of
    their use, so memory stays small however slow the caller is. Several workers are spawned
    processes: a script that uses them needs an ``if __name__ == "__main__":`` guard.

    Args:
        environment: Name of the environment that the states belong to.
        scene: One of its scenes.
        rendering: Image size and shadows.
        states: State vectors, one per row.
        workers: Processes; by default one per available core. 1 renders in this process.

    Raises:
        UserError: No environment or scene has this name, or rendering cannot start.
    """
    batches = [states[i : i + BATCH] for i in range(0, len(states), BATCH)]
    if worker_count(len(batches), workers) <= 1:
        renderer = make_renderer(environment, scene, rendering)
        try:
            yield from (draw(renderer, batch) for batch in batches)
        finally:
            renderer.close()
        return
    render_batch = functools.partial(_render_in_worker, environment, scene, rendering)
    yield from map_in_processes(render_batch, batches, workers)


def write_frames(
    path: str | os.PathLike[str],
    state_set: States,
    scene: str,
    rendering: Rendering,
    workers: int | None = None,
    **context: Any,
) -> None:
    """Renders a set of states into a file, with a progress bar.

    Args:
        path: Output file (HDF5).
        state_set: The states.
        scene: One of the scenes of their environment.
        rendering: As for `render_states`.
        workers: As for `render_states`.
        **context: Added to the provenance.

    Raises:
        UserError: As in `render_states`.
    """
    environment, states = state_set.environment, state_set.values
    with (
        FrameWriter(path, len(states), scene=scene, **context) as writer,
        bar(total=len(states), unit="frame", desc=f"render {scene}") as rendered,
    ):
        for frames in render_states(environment, scene, rendering, states, workers):
            writer.append(frames)
            rendered.update(len(frames))


def draw(renderer: Renderer, states: NDArray[np.float64]) -> Frames:
    """Renders states ``[n, D]`` into new frames ``[n, H, W, 3]``."""
    frames = np.empty((len(states), *renderer.shape), np.uint8)
    for state, frame in zip(states, frames, strict=True):
        renderer.render(state, frame)
    return frames


_worker_renderer = functools.cache(make_renderer)


def _render_in_worker(
    environment: str, scene: str, rendering: Rendering, states: NDArray[np.float64]
) -> Frames:
    return draw(_worker_renderer(environment, scene, rendering), states)
