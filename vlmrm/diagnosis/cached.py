"""States and frames that are made once and kept in the user's cache, and their embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import DiagnosisStates, Rendering
from vlmrm.data.frames import FrameReader
from vlmrm.data.states import States
from vlmrm.models.cached import cache_folder, cache_key, embed_batches, embed_once, versions
from vlmrm.models.clip import ClipModel
from vlmrm.rendering.parallel import write_frames
from vlmrm.states.diagnosis import sample_diagnosis

RENDERING = Rendering(humanoid_size=192)
"""Twice the side that packaged models see, so that resizing smooths the edges."""
BATCH = 128
"""Frames that are embedded between two steps of the progress bar."""
STATES_AND_FRAMES = ("envs", "rendering", "states", "tasks"), ("gymnasium", "mujoco", "numpy")
"""Rooms of the package, and libraries, that determine states and frames."""


def cached_states(poses: int, rendering: Rendering = RENDERING) -> tuple[States, Path]:
    """The states of `vlmrm.states.diagnosis.sample_diagnosis`.

    Args:
        poses: Number of poses for each of the eight tasks.
        rendering: How their frames will be rendered.

    Returns:
        The states, and the folder in the cache that keeps what is made of them.
    """
    spec = DiagnosisStates(sampler="diagnosis", poses=poses)
    parts = (spec, spec.paths, rendering)
    folder = cached_folder("diagnosis", *(part.model_dump() for part in parts))
    file = folder / "states.h5"
    if not file.exists():
        sample_diagnosis(spec).write(file, poses=poses)
    return States.read(file), folder


def cached_folder(kind: str, *parts: object) -> Path:
    """The folder in the cache for what is made of these parts, and of this version of the package.

    Args:
        kind: Folder of the folder.
        parts: What identifies the states and their frames, as JSON.
    """
    return cache_folder() / kind / cache_key(*parts, versions(*STATES_AND_FRAMES))


def cached_frames(states: States, folder: Path, scene: str, rendering: Rendering) -> Path:
    """The file of the states' frames in a scene. ``folder`` belongs to states and rendering."""
    file = folder / scene / "frames.h5"
    if not file.exists():
        write_frames(file, states, scene, rendering)
    return file


def cached_embeddings(
    states: States,
    folder: Path,
    scene: str,
    clip: ClipModel,
    rendering: Rendering = RENDERING,
) -> NDArray[np.float32]:
    """Unit embeddings ``[N, E]`` of the states' frames in a scene.

    Args:
        states: Of `cached_states`, or any others.
        folder: Folder in the cache that belongs to the states and the rendering.
        scene: One of the scenes of their environment.
        clip: A model that was loaded from its folder.
        rendering: Size of the frames, and shadows.
    """

    def embed() -> NDArray[np.float32]:
        with FrameReader(cached_frames(states, folder, scene, rendering)) as reader:
            return embed_batches(clip, reader.batches(BATCH), len(reader))

    return embed_once(folder / scene, len(states), clip, embed)
