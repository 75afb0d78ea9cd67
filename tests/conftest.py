"""Fixtures that several tests share."""

import os
from pathlib import Path

import pytest

from vlmrm.config import RandomModel


def pytest_collection_modifyitems(items):
    """Leaves out what a laptop cannot hold, unless it is asked for."""
    if os.environ.get("VLMRM_LARGE") == "1":
        return
    reason = "wants up to 25 GB of memory and 10 GB of disk; set VLMRM_LARGE=1"
    for item in items:
        if item.get_closest_marker("large"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """A folder with an untrained model of the offline family."""
    from vlmrm.models.untrained import make_random_model

    folder = tmp_path_factory.mktemp("models") / "random-XS"
    make_random_model(RandomModel(source="random", architecture="sim-XS", seed=1), folder)
    return folder
