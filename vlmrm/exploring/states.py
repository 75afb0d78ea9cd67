"""Frames of simulator states, as a collection."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Rendering
from vlmrm.data.states import States
from vlmrm.diagnosis.cached import cached_embeddings, cached_frames
from vlmrm.exploring.collection import SMALL, SharedFrames, informative, png, ranked_rows
from vlmrm.models.clip import ClipModel
from vlmrm.rendering.crop import RobotFinder, crop
from vlmrm.web.pictures import Pictures

SHARP = 768
"""Side in pixels of a humanoid's frame that is seen alone."""


class StateCollection:
    """Frames of states in a scene; thumbnails of the humanoid are cropped to the robot.

    Attributes:
        states: The states. Those with the columns ``path`` and ``progress`` are on paths.
        scene: Scene of the frames.
    """

    def __init__(self, states: States, folder: Path, scene: str, rendering: Rendering):
        """Renders the frames, if they are not in the cache.

        Args:
            states: The states.
            folder: Folder in the cache that belongs to the states and the rendering.
            scene: One of the scenes of their environment.
            rendering: Size of the frames, and shadows.

        Raises:
            UserError: The environment has no such scene, or rendering cannot start.
        """
        humanoid = states.environment == "humanoid"
        self.states, self.scene = states, scene
        self.noun = "pose" if humanoid else "state"
        self.names: tuple[str, ...] = ()
        self.paths = _paths(states)
        self.verdicts = informative(states.labels, ranked_rows(self.paths, len(states)))
        self._folder, self._rendering = folder, rendering
        self._frames = SharedFrames(cached_frames(states, folder, scene, rendering))
        sharp = rendering.model_copy(update={"humanoid_size": SHARP})
        self._sharp = Pictures(states.environment, scene, sharp, states.values)
        self._finder = RobotFinder(scene) if humanoid else None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.states)

    def embed(self, clip: ClipModel) -> NDArray[np.float32]:
        return cached_embeddings(self.states, self._folder, self.scene, clip, self._rendering)

    def thumbnail(self, row: int) -> bytes:
        frame = self._frames[row]
        if self._finder is not None:
            with self._lock:
                frame = crop(frame, self._finder.square(self.states.values[row]))
        return png(frame, SMALL)

    def picture(self, row: int) -> bytes:
        return self._sharp.png(row)

    def close(self) -> None:
        self._sharp.close()
        self._frames.close()


def _paths(states: States) -> dict[str, NDArray[np.int64]]:
    if not {"path", "progress"} <= states.columns.keys():
        return {}
    names = states.columns["path"].astype(str)
    rows = np.argsort(states.columns["progress"], kind="stable")
    ordered = names[rows]
    return {str(name): rows[ordered == name] for name in dict.fromkeys(names) if name}
