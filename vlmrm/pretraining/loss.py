"""A contrastive loss that knows which captions are true of which images.

CLIP's loss takes every other caption of a batch for a wrong one. Here many are true, because they
state facts that the image shows as well, and others can be neither affirmed nor denied.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vlmrm.pretraining.batches import NOT_STATED


def match(shown: Tensor, stated: Tensor) -> tuple[Tensor, Tensor]:
    """Compares facts of images ``[I, F]`` with those of captions ``[C, F]``.

    Returns:
        Bool ``[I, C]``: whether the caption is true of the image, and whether it is false. Neither
        holds if it states a fact that the image does not show clearly. A caption that states
        nothing but the environment is neither, except of frames of another one, where it is false.
    """
    states_it = (stated != NOT_STATED)[None]
    shows_it = (shown != NOT_STATED)[:, None]
    false = (states_it & shows_it & (shown[:, None] != stated[None])).any(dim=2)
    unclear = (states_it & ~shows_it).any(dim=2)
    specific = (stated[:, 1:] != NOT_STATED).any(dim=1)
    return ~false & ~unclear & specific, false


def contrastive_loss(
    images: Tensor, texts: Tensor, scale: Tensor, true: Tensor, false: Tensor
) -> Tensor:
    """InfoNCE with several positives, averaged over images and captions.

    For an image i with true captions T and false ones F, with the similarity s of their embeddings
    and the inverse temperature k:

        loss = -mean over t in T of log(exp(k s(i, t)) / sum over c in T + F of exp(k s(i, c)))

    and likewise for a caption (Khosla et al. 2020, "Supervised Contrastive Learning", equation 2).

    Args:
        images: Unit embeddings ``[B, E]``.
        texts: Unit embeddings ``[B, E]``.
        scale: Inverse temperature.
        true: Bool ``[B, B]``: whether a caption (column) is true of an image (row). The diagonal
            counts as true.
        false: Bool ``[B, B]``.
    """
    own = torch.eye(len(images), dtype=torch.bool, device=images.device)
    true = true | own
    logits = scale * images.float() @ texts.float().T
    logits = logits.masked_fill(~(true | false), float("-inf"))

    def one_way(logits: Tensor, true: Tensor) -> Tensor:
        log_share = logits.log_softmax(dim=1)
        return -(log_share.masked_fill(~true, 0).sum(dim=1) / true.sum(dim=1)).mean()

    return (one_way(logits, true) + one_way(logits.T, true.T)) / 2
