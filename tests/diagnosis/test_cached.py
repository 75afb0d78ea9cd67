"""States, frames, and embeddings that are made once."""

import numpy as np
import pytest

from vlmrm.diagnosis import cached
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import check_model_folder
from vlmrm.tasks.oracles import ORACLES


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield cached.cached_states(16)


def test_states_are_paths_and_then_poses_of_every_task(folder):
    states, place = folder
    poses = states.columns["path"] == ""
    assert poses.sum() == 16 * len(cached.TASKS)
    for task in cached.TASKS:
        path = states.columns["path"] == task
        assert states.columns["progress"][path][[0, -1]].tolist() == [0, 1]
        assert states.labels[task][path][-1]
        assert 0 < states.labels[task][poses].mean() < 1
        expected = ORACLES[task].score(states.values)
        np.testing.assert_allclose(states.columns[f"score {task}"], expected)
    assert place.is_relative_to(cached.cache_folder())


def test_states_are_made_again_only_for_other_versions(folder, monkeypatch):
    states, place = folder
    monkeypatch.setattr(cached, "sample_poses", lambda spec: pytest.fail("made again"))
    again, same = cached.cached_states(16)
    assert same == place and np.array_equal(again.values, states.values)
    monkeypatch.setattr("vlmrm.models.cached.version", lambda library: "0")
    with pytest.raises(pytest.fail.Exception, match="made again"):
        cached.cached_states(16)


def test_embeddings_of_another_model_are_others_and_damage_is_said(folder, model_folder):
    states, place = folder
    made = []
    for model in (check_model_folder("sim-XS"), model_folder):
        clip = ClipModel.load(model, "cpu")
        made.append(cached.cached_embeddings(states, place, "textured-fixed", model, clip))
    assert len(made[0]) == len(made[1]) == len(states)
    assert not np.allclose(made[0], made[1])
    for file in place.rglob("embeddings-*.h5"):
        file.write_bytes(b"damaged")
    with pytest.raises(UserError, match="delete it and run again"):
        cached.cached_embeddings(states, place, "textured-fixed", model_folder, clip)
