"""What is ranked, and its thumbnails."""

import io

import numpy as np
from PIL import Image

from vlmrm.config import PathStates, Rendering
from vlmrm.data.states import States
from vlmrm.exploring.collection import LARGE, SMALL, PictureFolder, ranked_rows
from vlmrm.exploring.states import StateCollection
from vlmrm.states import sample_states


def size_of(data):
    return Image.open(io.BytesIO(data)).size


def test_poses_are_ranked_and_those_on_paths_are_not(explorer):
    frames = explorer.collection
    assert explorer.ranked.sum() == 16 * len(frames.verdicts) == 128
    for name, rows in frames.paths.items():
        assert (frames.states.columns["path"][rows] == name).all()
        assert (np.diff(frames.states.columns["progress"][rows]) > 0).all()
        assert not explorer.ranked[rows].any()


def test_all_are_ranked_where_all_are_on_paths():
    assert ranked_rows({"a": np.array([0, 1])}, 2).all()
    assert ranked_rows({"a": np.array([0, 1])}, 3).tolist() == [False, False, True]


def test_a_thumbnail_shows_the_robot_and_the_picture_all_of_the_frame(explorer):
    row = int(explorer.ranked.nonzero()[0][0])
    width, height = size_of(explorer.collection.thumbnail(row))
    assert width == height < 192
    assert size_of(explorer.collection.picture(row)) == (768, 768)


def test_states_of_any_environment_have_frames(tmp_path):
    position = np.linspace(-1.2, 0.6, 5)
    truth = {"mountain-car": position > 0.45, "never": position > 9}
    states = States("mountain-car", np.stack([position, 0 * position], axis=1), labels=truth)
    frames = StateCollection(states, tmp_path, "textured", Rendering())
    assert list(frames.verdicts) == ["mountain-car"]  # the other refuses all
    assert (len(frames), frames.noun, frames.paths) == (5, "state", {})
    assert max(size_of(frames.thumbnail(3))) == SMALL
    frames.close()


def test_a_set_of_paths_alone_has_paths_and_ranks_them(tmp_path):
    states = sample_states(PathStates(sampler="paths", tasks=["lotus"], points=3))
    frames = StateCollection(states, tmp_path, "textured-fixed", Rendering(humanoid_size=64))
    assert frames.paths["lotus"].tolist() == [0, 1, 2]
    frames.close()


def test_pictures_are_small_and_large_and_have_names(tmp_path):
    path = tmp_path / "wide.png"
    Image.new("RGB", (2000, 500)).save(path)
    pictures = PictureFolder([path], None)
    assert size_of(pictures.thumbnail(0)) == (SMALL, SMALL // 4)
    assert size_of(pictures.picture(0)) == (LARGE, LARGE // 4)
    assert (pictures.names, dict(pictures.verdicts)) == (["wide.png"], {})
