import math

import torch

from vlmrm.pretraining.loss import contrastive_loss, match

UNSTATED = -1


def test_a_caption_is_true_of_every_image_that_shows_its_facts():
    #            environment, posture, arms
    images = torch.tensor([[0, 1, 5], [0, 1, UNSTATED], [0, 2, 5], [1, UNSTATED, UNSTATED]])
    captions = torch.tensor(
        [[0, 1, UNSTATED], [0, 1, 5], [0, UNSTATED, 5], [0, UNSTATED, UNSTATED]]
    )
    true, false = match(images, captions)
    assert true.tolist() == [
        [True, True, True, False],
        [True, False, False, False],
        [False, False, True, False],
        [False, False, False, False],
    ]
    assert false.tolist() == [
        [False, False, False, False],
        [False, False, False, False],
        [True, True, False, False],
        [True, True, True, True],  # another environment
    ]


def test_with_one_true_caption_each_the_loss_is_that_of_clip():
    torch.manual_seed(0)
    images, texts = (torch.nn.functional.normalize(torch.randn(4, 8), dim=1) for _ in range(2))
    own = torch.eye(4, dtype=torch.bool)
    logits = 5 * images @ texts.T
    target = torch.arange(4)
    cross_entropy = torch.nn.functional.cross_entropy
    expected = (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2
    torch.testing.assert_close(
        contrastive_loss(images, texts, torch.tensor(5.0), own, ~own), expected
    )


def test_true_captions_share_and_unclear_ones_do_not_count():
    images = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    texts = images.clone()
    true = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]]).bool()
    # Nothing is false, so the third image has nothing to tell its caption from.
    loss = contrastive_loss(images, texts, torch.tensor(1.0), true, torch.zeros(3, 3).bool())
    torch.testing.assert_close(loss, torch.tensor(2 * math.log(2) / 3))
