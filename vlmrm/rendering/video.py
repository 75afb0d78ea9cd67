"""Videos of trajectories."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vlmrm.config.settings import VideoSettings
from vlmrm.data.files import atomic_path
from vlmrm.envs import make_env
from vlmrm.rendering import Renderer, make_renderer


def write_trajectories(
    path: str | os.PathLike[str], trajectories: NDArray[np.float64], settings: VideoSettings
) -> None:
    """Writes trajectories ``[K, T, D]`` as a video in real time."""
    renderer = make_renderer(settings.environment, settings.scene, settings.rendering)
    try:
        rate = make_env(settings.environment, 1).metadata["render_fps"]
        write_video(path, trajectories, renderer, rate)
    finally:
        renderer.close()


def write_video(
    path: str | os.PathLike[str],
    trajectories: NDArray[np.float64],
    renderer: Renderer,
    frames_per_second: float,
) -> None:
    """Writes trajectories, one after another, to an MP4 file that plays everywhere.

    Args:
        path: Where the file appears, whole or not at all.
        trajectories: States ``[K, T, D]``.
        renderer: Renders the states.
        frames_per_second: States per second of video; the inverse of the environment's time step
            for real time.
    """
    frame = np.empty(renderer.shape, dtype=np.uint8)
    with open_video(path, renderer.shape, frames_per_second) as append:
        for state in trajectories.reshape(-1, trajectories.shape[-1]):
            renderer.render(state, frame)
            append(frame)


@contextmanager
def open_video(
    path: str | os.PathLike[str], shape: tuple[int, ...], frames_per_second: float
) -> Iterator[Callable[[NDArray[np.uint8]], None]]:
    """Opens an MP4 file that appears at the end of the block; yields what appends a frame.

    Args:
        path: Where the file appears, whole or not at all.
        shape: Height, width, and channels of the uint8 RGB frames.
        frames_per_second: Rate of the video.
    """
    # H.264 with color at half resolution needs even sides.
    height, width = (side // 2 * 2 for side in shape[:2])
    with (
        atomic_path(path) as temporary,
        av.open(str(temporary), "w", format="mp4", options={"movflags": "faststart"}) as video,
    ):
        rate = Fraction(frames_per_second).limit_denominator(1000)
        stream = video.add_stream("libx264", rate=rate, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"

        def append(frame: NDArray[np.uint8]) -> None:
            picture = np.ascontiguousarray(frame[:height, :width])
            video.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))

        yield append
        video.mux(stream.encode())


@dataclass(frozen=True)
class InlineVideo:
    """A video that a notebook shows and stores, as the last value of a cell."""

    content: bytes = field(repr=False)
    """The MP4 file."""

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.content).decode()
        return (
            f'<video controls loop style="max-width: 100%" src="data:video/mp4;base64,{data}">'
            "</video>"
        )


def show_video(frames: Iterable[NDArray[np.uint8]], frames_per_second: float) -> InlineVideo:
    """Makes a video for a notebook.

    Args:
        frames: Uint8 RGB frames ``[H, W, 3]`` of one size, at least one.
        frames_per_second: Rate of the video.
    """
    frames = list(frames)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        with open_video(path, frames[0].shape, frames_per_second) as append:
            for frame in frames:
                append(frame)
        return InlineVideo(path.read_bytes())
