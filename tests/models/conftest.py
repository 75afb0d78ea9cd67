"""Fixtures of the tests of published models."""

import json
import socket
import time

import open_clip
import pytest

from tests.models.fetching import CONFIG, REPOSITORY, WEIGHTS
from tests.models.hub.server import Hub
from vlmrm.config import PretrainedModel


@pytest.fixture
def hub(monkeypatch):
    """A hub on this machine; nobody waits between attempts."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with Hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture(scope="session")
def published(model_folder):
    """The files of a repository."""
    return {name: (model_folder / name).read_bytes() for name in (CONFIG, WEIGHTS)}


@pytest.fixture
def settings(hub, published):
    commit = hub.add(REPOSITORY, {**published, "README.md": b"A tiny model."})
    return PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models" / "tiny"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def no_network_after(request):
    return lambda: request.getfixturevalue("no_network")


@pytest.fixture
def register(published, monkeypatch):
    """Adds the architecture ``tiny`` and its tag ``here`` to open_clip's registry."""

    def add(**registered):
        entry = {"url": "", "hf_hub": f"{REPOSITORY}/", **registered}
        model_config = json.loads(published[CONFIG])["model_cfg"]
        monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", model_config)
        monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny", {"here": entry})
        return PretrainedModel(source="pretrained", architecture="tiny", tag="here")

    return add
