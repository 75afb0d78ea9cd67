"""Fixtures that several tests share."""

from pathlib import Path

import pytest

from vlmrm.config import RandomModel


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """A folder with an untrained model of the offline family."""
    from vlmrm.models.untrained import make_random_model

    folder = tmp_path_factory.mktemp("models") / "random-XS"
    make_random_model(RandomModel(source="random", architecture="sim-XS", seed=1), folder)
    return folder
