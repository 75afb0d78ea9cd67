"""Memory that a tower takes, without computing anything."""

import torch
from torch import nn

from vlmrm.models.model_size import PeakMemory


def test_the_peak_is_what_is_held_at_a_time():
    with PeakMemory() as memory, torch.inference_mode():
        a = torch.empty(1000, device="meta")
        b = a + 1
        del a
        view = (b * 2).view(10, 100)  # keeps the product
        c = view + b.view(10, 100)
    assert c.shape == (10, 100)
    assert memory.peak == 3 * 4000


def test_a_network_frees_what_it_has_used():
    layers = nn.Sequential(*(nn.Linear(50, 50, device="meta") for _ in range(20)))
    with PeakMemory() as memory, torch.inference_mode():
        layers(torch.empty(3, 50, device="meta"))
    assert memory.peak <= 3 * (3 * 50 * 4)
