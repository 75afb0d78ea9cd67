"""Size of an architecture, without its weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from vlmrm.models.folder import count_parameters
from vlmrm.models.random_init import build_random


@dataclass(frozen=True)
class ModelSize:
    """Size of an architecture.

    Attributes:
        image_size: Side of the input in pixels.
        embedding: Length of the embeddings.
        image_flops: Floating-point operations per image; a multiply-add counts as two.
        image_parameters: Parameters of the image tower.
        text_parameters: All other parameters.
    """

    image_size: int
    embedding: int
    image_flops: int
    image_parameters: int
    text_parameters: int

    @property
    def parameters(self) -> int:
        return self.image_parameters + self.text_parameters


@functools.cache
def measure_size(architecture: str) -> ModelSize:
    """Counts parameters and operations on the device ``meta``, whose tensors have no data.

    Raises:
        UserError: The architecture is unknown.
    """
    built, config, _ = build_random(architecture, seed=0, device="meta")
    network: Any = built.eval().requires_grad_(False)
    size = config["vision_cfg"]["image_size"]
    parameters = count_parameters(network)
    with FlopCounterMode(display=False) as counter:
        embeddings = network.encode_image(torch.empty(1, 3, size, size, device="meta"))
    return ModelSize(
        image_size=size,
        embedding=embeddings.shape[-1],
        image_flops=counter.get_total_flops(),
        image_parameters=parameters["image"],
        text_parameters=parameters["text"],
    )
