"""Fixtures that several tests share."""

import os
from pathlib import Path

# Before PyTorch is imported: tests run beside each other, and two that share the cores by threads
# are slower than one after the other. Processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest
import torch

from vlmrm.config import RandomModel

# An example that takes long on a busy machine is no failure.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_collection_modifyitems(items):
    """Leaves out what this machine cannot hold, and what it has no GPU for."""
    lacking = {}
    if os.environ.get("VLMRM_LARGE") != "1":
        lacking["large"] = "wants up to 25 GB of memory and 10 GB of disk; set VLMRM_LARGE=1"
    if not torch.cuda.is_available():
        lacking["gpu"] = "needs a GPU that PyTorch can use"
    for item in items:
        for name in lacking.keys() & {marker.name for marker in item.iter_markers()}:
            item.add_marker(pytest.mark.skip(reason=lacking[name]))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """A folder with a small model with random weights."""
    from vlmrm.models.random_init import make_random_model

    folder = tmp_path_factory.mktemp("models") / "random-XS"
    make_random_model(RandomModel(source="random", architecture="sim-XS", seed=1), folder)
    return folder
