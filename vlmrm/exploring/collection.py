"""What is ranked: frames of states, or anybody's pictures."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlmrm.data.frames import FrameReader
from vlmrm.data.pictures import encode_png, read_picture
from vlmrm.data.states import States
from vlmrm.models.cached import embed_pictures
from vlmrm.models.clip import ClipModel

SMALL = 224
"""Longest side of a thumbnail in pixels."""
LARGE = 1024
"""Longest side of a picture that is seen alone."""

Bools = NDArray[np.bool_]


class Collection(Protocol):
    """Images that are ranked, by their row."""

    @property
    def noun(self) -> str:
        """What a row is, such as "pose"."""

    @property
    def names(self) -> Sequence[str]:
        """Name of each row; empty if rows have none."""

    @property
    def verdicts(self) -> Mapping[str, Bools]:
        """Name of a judge to its verdicts, bool ``[N]``."""

    @property
    def paths(self) -> Mapping[str, NDArray[np.int64]]:
        """Name of a pose to the rows on the way there, in order; they are not ranked."""

    @property
    def states(self) -> States | None:
        """The states that are seen; None for pictures."""

    @property
    def scene(self) -> str | None:
        """Their scene; None for pictures."""

    def __len__(self) -> int: ...

    def embed(self, clip: ClipModel) -> NDArray[np.float32]:
        """Unit embeddings ``[N, E]`` by a model that was loaded from its folder; made once."""

    def thumbnail(self, row: int) -> bytes:
        """A small image as PNG, for any thread."""

    def picture(self, row: int) -> bytes:
        """The image as PNG, as large as there is reason to, for any thread."""

    def close(self) -> None:
        """Frees the resources."""


def ranked_rows(paths: Mapping[str, NDArray[np.int64]], count: int) -> Bools:
    """Which of the rows are ranked, bool ``[N]``: those on no path, or all if all are on paths."""
    free = np.ones(count, dtype=bool)
    for rows in paths.values():
        free[rows] = False
    return free if free.any() else ~free


def informative(verdicts: Mapping[str, Bools], ranked: Bools) -> dict[str, Bools]:
    """The verdicts of the judges that accept some of the ranked rows and refuse others."""
    return {name: v for name, v in verdicts.items() if np.ptp(v[ranked].astype(int))}


class PictureFolder:
    """Pictures of any size in files, labeled by their folders yes and no, if they have labels."""

    noun = "picture"

    def __init__(self, paths: Sequence[Path], labels: Sequence[bool] | None):
        self.paths: dict[str, NDArray[np.int64]] = {}
        self.states = self.scene = None
        self._files = list(paths)
        self.names = [path.name for path in paths]
        everything = ranked_rows({}, len(paths))
        self.verdicts = informative({"yes": np.array(labels)}, everything) if labels else {}

    def __len__(self) -> int:
        return len(self._files)

    def embed(self, clip: ClipModel) -> NDArray[np.float32]:
        return embed_pictures(self._files, clip)

    def thumbnail(self, row: int) -> bytes:
        return png(read_picture(self._files[row]), SMALL)

    def picture(self, row: int) -> bytes:
        return png(read_picture(self._files[row]), LARGE)

    def close(self) -> None:
        pass


class SharedFrames:
    """A file of frames, for several threads."""

    def __init__(self, path: Path):
        self._lock = threading.Lock()
        self._reader = FrameReader(path)

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        with self._lock:
            return self._reader[row]

    def close(self) -> None:
        self._reader.__exit__()


def png(frame: NDArray[np.uint8], side: int) -> bytes:
    """A frame ``[H, W, 3]`` as PNG; a larger one is made smaller."""
    image = Image.fromarray(frame)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return encode_png(image)
