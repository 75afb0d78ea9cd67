"""The images of a corpus."""

from __future__ import annotations

from collections.abc import Iterable

import h5py
import numpy as np
import torch
from numpy.typing import NDArray

from vlmrm.data.files import NewFile
from vlmrm.data.frames import COMPRESSION, FRAMES_PER_CHUNK
from vlmrm.models.preprocessing import SIM_PREPROCESSING, Preprocessing


def write_images(
    file: NewFile, group: h5py.Group, batches: Iterable[NDArray[np.uint8]], count: int, size: int
) -> None:
    """Resizes frames as they come, and writes them as ``images``, uint8 ``[N, 3, S, S]``.

    Args:
        file: The corpus.
        group: Group of an environment in it.
        batches: Batches of the frames ``[n, H, W, 3]``.
        count: Number N of all of them.
        size: Side S of the images in pixels.

    Raises:
        UserError: The disk is full.
    """
    preprocessing = Preprocessing.from_open_clip({**SIM_PREPROCESSING, "size": size})
    images = group.create_dataset(
        "images",
        (count, 3, size, size),
        np.uint8,
        chunks=(min(FRAMES_PER_CHUNK, count), 3, size, size),
        **COMPRESSION,
    )
    start = 0
    for frames in batches:
        resized = preprocessing.resize(torch.from_numpy(frames)).numpy()
        images[start : start + len(frames)] = resized
        file.check()
        start += len(frames)
