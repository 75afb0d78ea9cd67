"""Fixtures that several tests share."""

import os
from pathlib import Path

import pytest
import torch

from vlmrm.config import RandomModel


def pytest_collection_modifyitems(items):
    """Leaves out what this machine cannot hold, and what it has no GPU for."""
    marked = {"gpu": [], "large": []}
    for item in items:
        for name in marked:
            if item.get_closest_marker(name):
                marked[name].append(item)
    if os.environ.get("VLMRM_LARGE") != "1":
        _skip(marked["large"], "wants up to 25 GB of memory and 10 GB of disk; set VLMRM_LARGE=1")
    if marked["gpu"] and not torch.cuda.is_available():
        _skip(marked["gpu"], "needs a GPU that PyTorch can use")


def _skip(items, reason):
    for item in items:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """A folder with an untrained model of the offline family."""
    from vlmrm.models.untrained import make_random_model

    folder = tmp_path_factory.mktemp("models") / "random-XS"
    make_random_model(RandomModel(source="random", architecture="sim-XS", seed=1), folder)
    return folder
