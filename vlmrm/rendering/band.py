"""The band below the frames of a video: the sentence, the verdict, and the reward so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]

PAPER: Color = (252, 252, 252)
PLOT: Color = (233, 233, 233)
LINE: Color = (204, 204, 204)
INK: Color = (38, 38, 38)
SOFT: Color = (100, 100, 100)
ACCEPTED: Color = (0, 115, 64)
REJECTED: Color = (191, 51, 26)
MARKS = {True: "\N{CHECK MARK}", False: "\N{MULTIPLICATION X}"}
"""Marks of the verdicts, for those who do not see colors."""
DESIGNED_FOR = 320
"""Width of a frame for which sizes are given in pixels; other bands are enlarged like their frames.
"""
MAX_LINES = 2
"""Lines of a sentence."""


@dataclass(frozen=True)
class Legend:
    """What is written below all frames of a video.

    Attributes:
        task: The sentence, or the name of the task.
        reward: Whose the reward is, as in "by sim-S".
    """

    task: str
    reward: str


class Band:
    """Draws the band of a video.

    Args:
        legend: What is written below all frames.
        width: Width of the frames in pixels.
        rewards: Rewards of each trajectory of the video; together, the range of the curve.
    """

    def __init__(self, legend: Legend, width: int, rewards: Sequence[NDArray[np.floating]]):
        self._legend = legend
        self._width = width
        self._low = min(float(part.min()) for part in rewards)
        self._high = max(float(part.max()) for part in rewards)
        self._lines = _wrapped(legend.task, self._font(13, bold=True), width - self._px(16))
        self._top = self._px(13 + 17 * len(self._lines))
        self._plot = (self._px(130), self._top, width - self._px(8), self._top + self._px(38))
        self.height = self._top + self._px(71)

    def trajectory(self, title: str) -> Image.Image:
        """The part of the band that stays the same during a trajectory."""
        band = Image.new("RGB", (self._width, self.height), PAPER)
        pen = ImageDraw.Draw(band)
        for number, line in enumerate(self._lines):
            place = (self._px(8), self._px(6 + 17 * number))
            pen.text(place, line, INK, self._font(13, bold=True))
        pen.line((0, 0, self._width, 0), LINE)  # many frames are as white as the band
        pen.rectangle(self._plot, PLOT)
        small = self._font(9.5)
        pen.text((self._px(8), self._top + self._px(19)), "reward", SOFT, small)
        reward = _shortened(self._legend.reward, small, self._px(118))
        pen.text((self._px(8), self._top + self._px(36)), reward, SOFT, small)
        title = _shortened(title, small, self._width - self._px(75))
        pen.text((self._px(8), self.height - self._px(17)), title, SOFT, small)
        return band

    def draw(
        self,
        trajectory: Image.Image,
        rewards: NDArray[np.floating],
        verdicts: NDArray[np.bool_] | None,
        step: int,
        seconds: float,
    ) -> NDArray[np.uint8]:
        """The band after a step, uint8 RGB ``[height, width, 3]``.

        Args:
            trajectory: The result of `trajectory`.
            rewards: Rewards of all its steps ``[T]``.
            verdicts: Verdicts of an oracle on its steps ``[T]``, if there is one.
            step: Number of the step, from 0.
            seconds: Simulated time after the step.
        """
        band = trajectory.copy()
        pen = ImageDraw.Draw(band)
        digits = 3 if max(abs(self._low), abs(self._high)) < 100 else 1
        number, font = f"{rewards[step]:.{digits}f}", self._font(14, bold=True)
        pen.text((self._px(120), self._top + self._px(15)), number, INK, font, "ra")
        clock = (self._width - self._px(8), self.height - self._px(17))
        pen.text(clock, f"{seconds:.2f} s", SOFT, self._font(9.5), "ra")
        self._draw_curve(pen, rewards, step)
        if verdicts is not None:
            self._draw_verdicts(pen, verdicts, step)
        return np.asarray(band)

    def _draw_curve(
        self, pen: ImageDraw.ImageDraw, rewards: NDArray[np.floating], step: int
    ) -> None:
        """The rewards up to a step; the plot is as long as the trajectory."""
        left, top, right, bottom = self._plot
        margin = self._px(5)
        spread = (self._high - self._low) or 1.0
        share = (rewards[: step + 1] - self._low) / spread if self._high > self._low else 0.5
        heights = np.broadcast_to(bottom - margin - share * (bottom - top - 2 * margin), step + 1)
        places = np.linspace(left + margin, right - margin, len(rewards))[: step + 1]
        points = list(zip(places.tolist(), heights.tolist(), strict=True))
        pen.line(points, INK, self._px(1.5), "curve")
        (x, y), radius = points[-1], self._px(3)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), INK)

    def _draw_verdicts(
        self, pen: ImageDraw.ImageDraw, verdicts: NDArray[np.bool_], step: int
    ) -> None:
        """The verdict in words, and below the curve a bar for each step that fulfills the task."""
        accepted = bool(verdicts[step])
        text = f"{MARKS[accepted]} {'fulfilled' if accepted else 'not fulfilled'}"
        place = (self._px(8), self._top - self._px(2))
        pen.text(place, text, ACCEPTED if accepted else REJECTED, self._font(12.5, bold=True))
        left, _, right, bottom = self._plot
        margin = self._px(5)
        edges = np.linspace(left + margin, right - margin, len(verdicts) + 1)
        low = bottom + self._px(9)
        for number in range(step + 1):
            height, color = (7, ACCEPTED) if verdicts[number] else (2, REJECTED)
            box = (edges[number], low - self._px(height), edges[number + 1], low)
            pen.rectangle(box, color)

    def _font(self, size: float, bold: bool = False) -> ImageFont.FreeTypeFont:
        return _font(size * self._width / DESIGNED_FOR, bold)

    def _px(self, length: float) -> int:
        return max(1, round(length * self._width / DESIGNED_FOR))


@cache
def _font(size: float, bold: bool) -> ImageFont.FreeTypeFont:
    """The font of the figures, which matplotlib ships."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), size)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines of words; what does not fit is left out of the last one."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width and len(lines) < MAX_LINES:
            lines.append(word)
        else:
            lines[-1] = longer
    return [_shortened(line, font, width) for line in lines]


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The text, or its beginning with dots."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."
