"""Videos of trajectories, with what was asked, the reward, and the verdict written below."""

from __future__ import annotations

import base64
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vlmrm.data.files import atomic_path
from vlmrm.rendering import Renderer
from vlmrm.rendering.band import Band, Legend

HOLD = 0.75
"""Seconds for which the last frame of a trajectory stays; most trajectories last little longer."""
NARROWEST = 240
"""Width in pixels from which on text is legible; smaller frames are enlarged."""

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Take:
    """A trajectory as a video shows it.

    Attributes:
        frames: Uint8 RGB frames ``[H, W, 3]``, one after each of ``T`` steps.
        rewards: Their rewards ``[T]``.
        verdicts: The oracle's verdicts ``[T]``; None without an oracle.
        title: Which trajectory it is.
    """

    frames: Iterable[Frame]
    rewards: NDArray[np.floating]
    verdicts: NDArray[np.bool_] | None
    title: str


def rendered(renderer: Renderer, states: NDArray[np.float64]) -> Iterator[Frame]:
    """Renders states ``[T, D]`` one by one; each frame is valid until the next."""
    frame = np.empty(renderer.shape, np.uint8)
    for state in states:
        renderer.render(state, frame)
        yield frame


def write_video(
    path: str | os.PathLike[str],
    takes: Sequence[Take],
    legend: Legend,
    shape: tuple[int, ...],
    frames_per_second: float,
) -> None:
    """Writes trajectories, one after another, to an MP4 file that plays everywhere.

    Below each frame is a band: see `vlmrm.rendering.band`.

    Args:
        path: Where the file appears, whole or not at all.
        takes: The trajectories.
        legend: What is written below all frames.
        shape: Height, width, and channels of the frames.
        frames_per_second: Steps per second of video; the inverse of the environment's time step
            for real time.
    """
    zoom = math.ceil(NARROWEST / shape[1])
    height, width = zoom * shape[0], zoom * shape[1]
    rewards = [take.rewards for take in takes]
    band = Band(legend, width, rewards)
    size = (height + band.height, width, 3)
    hold = round(HOLD * frames_per_second)
    with open_video(path, size, frames_per_second) as append:
        for take in takes:
            common = band.trajectory(take.title)
            for step, frame in enumerate(take.frames):
                seconds = (step + 1) / frames_per_second
                below = band.draw(common, take.rewards, take.verdicts, step, seconds)
                picture = np.vstack([frame.repeat(zoom, axis=0).repeat(zoom, axis=1), below])
                last = step + 1 == len(take.rewards)
                for _ in range(1 + hold * last):
                    append(picture)


@contextmanager
def open_video(
    path: str | os.PathLike[str], shape: tuple[int, ...], frames_per_second: float
) -> Iterator[Callable[[Frame], None]]:
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

        def append(frame: Frame) -> None:
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
