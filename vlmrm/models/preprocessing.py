"""A model's own image preprocessing, on batches of uint8 tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from vlmrm.config import WideFrames
from vlmrm.models.libraries import InterpolationMode
from vlmrm.models.libraries import functional as F

_RESIZE_MODES: dict[WideFrames, str] = {"squash": "squash", "pad": "longest", "crop": "shortest"}
"""open_clip's names."""

SIM_PREPROCESSING: dict[str, Any] = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bilinear",
    # Cropping would cut off the flag of MountainCar's wide frames.
    "resize_mode": "squash",
}
"""Preprocessing of the simulator-trained models."""


@dataclass(frozen=True)
class Preprocessing:
    """Resizes, crops or pads, and normalizes images, as the model's configuration says.

    Attributes:
        size: Side of the square input in pixels.
        mean: Mean per channel, of values in [0, 1].
        std: Standard deviation per channel, of values in [0, 1].
        interpolation: ``bicubic`` or ``bilinear``, both antialiased.
        resize_mode: ``shortest`` (resize the shorter side, crop the center), ``longest`` (resize
            the longer side, pad) or ``squash`` (ignore the aspect ratio).
        fill: Value of the padding, 0 to 255.
    """

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    resize_mode: str
    fill: int = 0

    @classmethod
    def from_open_clip(cls, config: Mapping[str, Any]) -> Preprocessing:
        """Reads an open_clip ``preprocess_cfg``."""
        size = config["size"]
        height, width = (size, size) if isinstance(size, int) else size
        if height != width:
            raise ValueError(f"the model's input must be square, got {height} x {width}")
        return cls(
            size=height,
            mean=tuple(config["mean"]),
            std=tuple(config["std"]),
            interpolation=config["interpolation"],
            resize_mode=config["resize_mode"],
            fill=config.get("fill_color", 0),
        )

    def for_wide_frames(self, mode: WideFrames) -> Preprocessing:
        """Keeps the sides of frames that are not square where the model's own way cuts them off.

        Square frames, and models that squash or pad by themselves, are treated as before.
        """
        if self.resize_mode != "shortest":
            return self
        return replace(self, resize_mode=_RESIZE_MODES[mode])

    def resize(self, frames: Tensor) -> Tensor:
        """Resizes uint8 ``[N, H, W, 3]`` to uint8 ``[N, 3, size, size]``."""
        images = frames.permute(0, 3, 1, 2)
        height, width = images.shape[-2:]
        if (height, width) == (self.size, self.size):
            return images
        target = self._resized(height, width)
        interpolation = InterpolationMode(self.interpolation)
        images = F.resize(images, list(target), interpolation=interpolation, antialias=True)
        return F.center_crop(F.pad(images, self._padding(*target), fill=self.fill), [self.size] * 2)

    def __call__(self, frames: Tensor) -> Tensor:
        """Turns uint8 ``[N, H, W, 3]`` into normalized float32 ``[N, 3, size, size]``."""
        images = self.resize(frames).float() / 255
        mean = torch.tensor(self.mean, device=images.device).view(3, 1, 1)
        std = torch.tensor(self.std, device=images.device).view(3, 1, 1)
        return (images - mean) / std

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if self.resize_mode == "squash":
            return self.size, self.size
        reference = min(height, width) if self.resize_mode == "shortest" else max(height, width)
        # torchvision truncates for the shorter side, open_clip rounds for the longer side.
        rounding = int if self.resize_mode == "shortest" else round
        return rounding(height * self.size / reference), rounding(width * self.size / reference)

    def _padding(self, height: int, width: int) -> list[int]:
        """Padding (left, top, right, bottom) that makes both sides at least ``size``."""
        missing_y, missing_x = max(self.size - height, 0), max(self.size - width, 0)
        top, left = missing_y // 2, missing_x // 2
        return [left, top, missing_x - left, missing_y - top]
