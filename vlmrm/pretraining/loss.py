"""A contrastive loss that knows how far captions are true of images.

CLIP's loss takes every other caption of a batch for a wrong one. Here many are true, because they
state facts that the image shows as well, and the others are more or less so.
"""

from __future__ import annotations

import torch
from torch import Tensor

SHARPNESS = 8.0
"""Natural logarithm of how much more probable a true caption is than one that is all wrong."""


def agreement(distances: Tensor, stated: Tensor) -> Tensor:
    """How far captions are true of images.

    For the distances d of an image from the values v that a caption states, as an oracle's score:

        a = 1 / (1 + sqrt(sum over v of d(v)^2))

    Args:
        distances: Distances of images from values ``[I, V]``.
        stated: Whether captions state values, bool ``[C, V]``.

    Returns:
        Agreements ``[I, C]`` in (0, 1], 1 if the caption is true.
    """
    return 1 / (1 + (distances.square() @ stated.to(distances.dtype).T).sqrt())


def contrastive_loss(images: Tensor, texts: Tensor, scale: Tensor, agreement: Tensor) -> Tensor:
    """InfoNCE with graded targets, averaged over images and captions.

    For an image i and captions c that are true of it to a degree a(i, c), with the similarity s of
    their embeddings, the inverse temperature k, and the `SHARPNESS` h:

        loss = -sum over c of q(i, c) log softmax_c(k s(i, c)),  q(i, c) = softmax_c(h a(i, c))

    and likewise for a caption. At its minimum, s rises linearly with a. With targets of 0 and 1 and
    a large h, this is CLIP's loss (Radford et al. 2021).

    Args:
        images: Unit embeddings ``[B, E]``.
        texts: Unit embeddings ``[B, E]``.
        scale: Inverse temperature.
        agreement: How far a caption (column) is true of an image (row): ``[B, B]`` in [0, 1], or
            NaN for pairs that do not count. The diagonal counts as 1.
    """
    own = torch.eye(len(images), dtype=torch.bool, device=images.device)
    agreement = agreement.masked_fill(own, 1)
    ignored = agreement.isnan()
    target = (SHARPNESS * agreement).masked_fill(ignored, -torch.inf)
    logits = (scale * images.float() @ texts.float().T).masked_fill(ignored, -torch.inf)

    def one_way(logits: Tensor, target: Tensor) -> Tensor:
        log_share = logits.log_softmax(dim=1).masked_fill(logits == -torch.inf, 0)
        return -(target.softmax(dim=1) * log_share).sum(dim=1).mean()

    return (one_way(logits, target) + one_way(logits.T, target.T)) / 2
