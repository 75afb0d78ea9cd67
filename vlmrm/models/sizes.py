"""Sizes of models and of their batches, without loading PyTorch."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("model_size.json")

GPU_BATCH_PIXELS = 512 * 224**2
"""Input pixels per batch on a GPU. Larger batches are no faster on an H100, and cards of 16 GB hold
this one with any published model. Halved whenever the memory runs out."""


class ModelSize(NamedTuple):
    """Size of an architecture.

    Attributes:
        image_size: Side of the input in pixels.
        image_flops: Floating-point operations per image; a multiply-add counts as two.
        activations: Most numbers per image that the image tower holds at a time.
        image_parameters: Parameters of the image tower.
        parameters: All parameters.
        embedding: Length of the embeddings.
    """

    image_size: int
    image_flops: int
    activations: int
    image_parameters: int
    parameters: int
    embedding: int


@functools.cache
def tabulated_size(architecture: str | None) -> ModelSize | None:
    """From the table, which has the architectures of the shipped configurations."""
    table = json.loads(TABLE.read_text())
    return ModelSize(**table[architecture]) if architecture in table else None
