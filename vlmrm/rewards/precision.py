"""Errors and speed of rewards in reduced precisions of the image tower."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from vlmrm.config import Precision
from vlmrm.config.scoring import PLAIN
from vlmrm.config.settings import EmbeddingSettings
from vlmrm.data.embeddings import Sample
from vlmrm.data.frames import FrameReader
from vlmrm.models.clip import ClipModel, choose_device, lacks_gpu_memory
from vlmrm.rewards.vlm import VLMReward

REFERENCE: Precision = "float32"

SAMPLE = 256
"""Frames of a set that are embedded in full precision too: enough for two digits of the error."""


def embed_sample(
    folder: str | os.PathLike[str], frames: FrameReader, settings: EmbeddingSettings, device: str
) -> Sample:
    """Embeds some evenly spaced frames of a set in full precision."""
    rows = np.linspace(0, len(frames) - 1, min(SAMPLE, len(frames))).astype(np.int64)
    options = settings.model_dump() | {"precision": REFERENCE}
    try:
        return rows, ClipModel.load(folder, device, **options).embed_images(frames[rows])
    except RuntimeError as error:
        if not lacks_gpu_memory(error):
            raise
    # Outside the handler, the GPU's memory is free; in float32, a model takes twice as much.
    return rows, ClipModel.load(folder, "cpu", **options).embed_images(frames[rows])


def compare_precisions(
    folder: str | os.PathLike[str],
    frames: NDArray[np.uint8],
    goal: Sequence[str],
    baseline: Sequence[str] = (),
    scoring: str = PLAIN,
    contrast: Sequence[str] = (),
    device: str = "auto",
) -> pd.DataFrame:
    """Compares the rewards of the same frames in each precision with those in float32.

    float16 is measured only on CUDA, because CPUs are slow in it.

    Args:
        folder: Model folder.
        frames: Uint8 ``[N, H, W, 3]``.
        goal: Goal prompts; their embeddings are averaged.
        baseline: Baseline prompts, also averaged; alphas above 0 need them.
        scoring: Name of the scoring.
        contrast: Other sentences; contrasts need them.
        device: A torch device, or ``auto``.

    Returns:
        One row per precision, float32 first: ``precision``, ``images_per_second``, ``spread``
        (standard deviation of the rewards), ``largest_error`` and ``mean_error`` (absolute
        differences from the rewards in float32), and ``spearman`` (rank correlation with them; NaN
        if all rewards are equal).
    """
    target = choose_device(device)
    others: list[Precision] = ["bfloat16", "float16"] if target.type == "cuda" else ["bfloat16"]
    rows = []
    reference: NDArray[np.float32] | None = None
    for precision in [REFERENCE, *others]:
        reward = VLMReward.load(
            folder,
            list(goal),
            list(baseline) or None,
            scoring,
            list(contrast) or None,
            str(target),
            precision,
        )
        # Warm up, on a GPU for every batch size.
        reward(frames if target.type == "cuda" else frames[:2])
        start = _now(target)
        rewards = reward(frames)
        seconds = _now(target) - start
        reference = rewards if reference is None else reference
        errors = np.abs(rewards.astype(np.float64) - reference)
        varied = min(np.ptp(rewards), np.ptp(reference)) > 0
        rows.append(
            {
                "precision": precision,
                "images_per_second": len(frames) / seconds,
                "spread": float(rewards.std()),
                "largest_error": float(errors.max()),
                "mean_error": float(errors.mean()),
                "spearman": float(spearmanr(rewards, reference)[0]) if varied else np.nan,
            }
        )
        del reward  # before the next one is loaded
    return pd.DataFrame(rows)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
