"""States, frames, and embeddings that are made once."""

import hashlib
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from vlmrm.diagnosis import cached
from vlmrm.errors import UserError
from vlmrm.models.cached import embed_once
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import WEIGHTS_FILE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield cached.cached_states(16)


def test_states_are_made_again_only_for_other_versions(folder, monkeypatch):
    states, place = folder
    monkeypatch.setattr(cached, "sample_diagnosis", lambda spec: pytest.fail("made again"))
    again, same = cached.cached_states(16)
    assert same == place and place.is_relative_to(cached.cache_folder())
    assert np.array_equal(again.values, states.values)
    monkeypatch.setattr("vlmrm.models.cached.version", lambda library: "0")
    with pytest.raises(pytest.fail.Exception, match="made again"):
        cached.cached_states(16)


def test_the_weights_of_a_model_are_read_once_for_their_checksum(folder, monkeypatch):
    states, place = folder
    hashed = []
    digest = hashlib.file_digest

    def counted(file, kind):
        hashed.append(Path(file.name).name)
        return digest(file, kind)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    clip = ClipModel.load("sim-XS", "cpu")
    cached.cached_embeddings(states, place, "textured-fixed", clip)
    assert hashed.count(WEIGHTS_FILE) == 1


def test_embeddings_of_another_model_are_others_and_damage_is_said(folder, model_folder):
    states, place = folder
    made = []
    for model in ("sim-XS", model_folder):
        clip = ClipModel.load(model, "cpu")
        made.append(cached.cached_embeddings(states, place, "textured-fixed", clip))
    assert len(made[0]) == len(made[1]) == len(states)
    assert not np.allclose(made[0], made[1])
    for file in place.rglob("embeddings-*.h5"):
        file.write_bytes(b"damaged")
    with pytest.raises(UserError, match="delete it and run again"):
        cached.cached_embeddings(states, place, "textured-fixed", clip)


def test_a_cache_that_cannot_be_kept_is_named_before_the_work(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", Mock(side_effect=RuntimeError("no home")))
    with pytest.raises(UserError, match=r"HOME: not set; name a folder .* XDG_CACHE_HOME"):
        cached.cache_folder()
    clip = ClipModel.load("sim-XS", "cpu")
    monkeypatch.setattr("vlmrm.models.cached.os.access", lambda *_: False)
    with pytest.raises(UserError, match=r"cannot be written; name a folder .* XDG_CACHE_HOME"):
        embed_once(tmp_path / "cache", 1, clip, lambda: pytest.fail("embedded"))
