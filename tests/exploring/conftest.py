import os

import pytest

from tests.browser import starting
from vlmrm.cli.explore import _settings, _state_frames
from vlmrm.exploring.explorer import EmbeddedCollection, Explorer
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import check_model_folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Variables of processes whose cache all tests of the page share."""
    return os.environ | {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="session")
def explorer(cache):
    """Sixteen poses around each task, and the smallest packaged model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", cache["XDG_CACHE_HOME"])
        settings = _settings(None, "humanoid")
        frames = _state_frames(None, 16, "textured-fixed", settings.rendering)
        folder = check_model_folder("sim-XS")
        model = EmbeddedCollection(ClipModel.load(folder, "cpu"), frames)
    yield Explorer(frames, {"sim-XS": model}, settings.tasks)
    frames.close()


@pytest.fixture
def serving(cache):
    """Starts `vlmrm explore` with options; returns its address, and ends it after the test."""
    with starting() as start:
        yield lambda *options: start("explore", "--port", 0, *options, env=cache)[1]
