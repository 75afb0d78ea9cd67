"""Frames that are rendered on request."""

import io
import threading

import numpy as np
import pytest
from PIL import Image

from vlmrm.config import PoseStates, Rendering
from vlmrm.errors import UserError
from vlmrm.states import sample_states
from vlmrm.web.pictures import Pictures


@pytest.fixture
def values():
    """Thirty states of the mountain car."""
    position = np.linspace(0.6, -1.2, 30)
    return np.stack([position, 0 * position], axis=1)


@pytest.fixture
def pictures(values):
    pictures = Pictures("mountain-car", "textured", Rendering(), values)
    yield pictures
    pictures.close()


def test_pictures_are_drawn_for_any_thread(pictures):
    drawn = {}

    def ask(row):
        drawn[row] = np.asarray(Image.open(io.BytesIO(pictures.png(row))))

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {image.shape for image in drawn.values()} == {(400, 600, 3)}
    ask_again = np.asarray(Image.open(io.BytesIO(pictures.png(2))))
    np.testing.assert_array_equal(ask_again, drawn[2])
    assert (drawn[0] != drawn[5]).any()


def test_the_humanoid_is_drawn_at_the_size_asked_for():
    values = sample_states(PoseStates(sampler="poses", task="kneeling", size=8)).values
    pictures = Pictures("humanoid", "textured-fixed", Rendering(humanoid_size=200), values)
    assert Image.open(io.BytesIO(pictures.png(7))).size == (200, 200)
    pictures.close()


def test_an_unknown_scene_is_told(values):
    with pytest.raises(UserError, match="scene: mountain-car has no scene 'texture'"):
        Pictures("mountain-car", "texture", Rendering(), values)
