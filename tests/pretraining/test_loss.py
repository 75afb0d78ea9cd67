import math

import torch
from torch.nn.functional import cross_entropy, normalize

from vlmrm.pretraining.loss import SHARPNESS, agreement, contrastive_loss

NAN = math.nan


def test_a_caption_is_true_by_the_distance_of_an_image_from_all_that_it_states():
    distances = torch.tensor([[0.0, 0.0, 9.0], [3.0, 4.0, 0.0]])
    captions = torch.tensor([[1, 1, 0], [0, 1, 0], [0, 0, 1]]).bool()
    expected = torch.tensor([[1, 1, 1 / 10], [1 / 6, 1 / 5, 1]])
    torch.testing.assert_close(agreement(distances, captions), expected)


def test_with_one_true_caption_each_the_loss_is_nearly_that_of_clip():
    torch.manual_seed(0)
    images, texts = (normalize(torch.randn(4, 8), dim=1) for _ in range(2))
    logits = 5 * images @ texts.T
    target = torch.softmax(SHARPNESS * torch.eye(4), dim=1)
    expected = (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2
    loss = contrastive_loss(images, texts, torch.tensor(5.0), torch.eye(4))
    torch.testing.assert_close(loss, expected)
    hard = cross_entropy(logits, torch.arange(4)) + cross_entropy(logits.T, torch.arange(4))
    torch.testing.assert_close(loss, hard / 2, rtol=0.02, atol=0)


def test_true_captions_share_and_ignored_ones_do_not_count():
    images = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    known = torch.tensor([[1, 1, NAN], [1, 1, NAN], [NAN, NAN, 1]])
    # Nothing is false, so the third image has nothing to tell its caption from.
    loss = contrastive_loss(images, images.clone(), torch.tensor(1.0), known)
    torch.testing.assert_close(loss, torch.tensor(2 * math.log(2) / 3))


def test_at_its_minimum_similarity_rises_linearly_with_agreement():
    torch.manual_seed(0)
    parts = torch.tensor([[1, 0.5, 0.5, 0], [0.5, 1, 0, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1]])
    images, texts = (torch.randn(4, 8, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.Adam([images, texts], lr=0.05)
    for _ in range(300):
        unit = normalize(images, dim=1), normalize(texts, dim=1)
        loss = contrastive_loss(*unit, torch.tensor(10.0), parts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    similarity = normalize(images, dim=1) @ normalize(texts, dim=1).T
    levels = [similarity[parts == part].mean() for part in (0, 0.5, 1)]
    rises = torch.stack([levels[1] - levels[0], levels[2] - levels[1]])
    torch.testing.assert_close(rises, torch.full((2,), SHARPNESS / 20), rtol=0.1, atol=0)
