"""Feature extractors, which transform observations before a policy's networks."""

from __future__ import annotations

import torch
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import Tensor


def symlog(x: Tensor) -> Tensor:
    """``sign(x) ln(1 + |x|)`` of every entry: the identity near 0, a logarithm far from it.

    Source: Hafner et al. 2023, "Mastering Diverse Domains through World Models", equation 9.
    """
    return torch.copysign(torch.log1p(torch.abs(x)), x)


class SymlogExtractor(FlattenExtractor):
    """Flattens observations ``[N, ...]`` and takes their `symlog`."""

    def forward(self, observations: Tensor) -> Tensor:
        return symlog(super().forward(observations))
