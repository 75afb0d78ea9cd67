"""Published models, fetched by the hub's own client from a small hub on this machine."""

import json
import shutil
from dataclasses import replace
from unittest.mock import Mock

import huggingface_hub
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file

from tests.models.fetching import CONFIG, FRAMES, REPOSITORY, WEIGHTS, refused, sha256
from tests.processes import vlmrm
from vlmrm import VLMReward
from vlmrm.config import PretrainedModel
from vlmrm.config.architectures import WEIGHTS_FOLDER
from vlmrm.errors import UserError
from vlmrm.models import find
from vlmrm.models.fetch import fetch_pretrained
from vlmrm.models.folder import (
    PROVENANCE_FILE,
    has_read_shipped_captions,
    is_simulator_trained,
    read_model_provenance,
)


def test_a_fetched_model_scores_as_the_published_one(
    hub, settings, published, model_folder, folder, no_network_after
):
    fetch_pretrained("tiny", settings, folder)
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]
    record = read_model_provenance(folder)
    assert record["source"] == "pretrained"
    assert record["sha256"] == sha256(published[WEIGHTS])
    assert record["origin"] == {
        "repository": REPOSITORY,
        "commit": settings.revision,
        "license": None,
        "gated": False,
        "file": WEIGHTS,
        "sha256": sha256(published[WEIGHTS]),
    }
    assert record["parameters"] == read_model_provenance(model_folder)["parameters"]
    no_network_after()
    fetched = VLMReward.load(folder, "a robot", "anything", scoring="alpha-0.5", device="cpu")
    original = VLMReward.load(
        model_folder, "a robot", "anything", scoring="alpha-0.5", device="cpu"
    )
    np.testing.assert_array_equal(fetched(FRAMES), original(FRAMES))


def test_a_model_that_knows_the_simulators_is_none_of_the_published_ones(folder, model_folder):
    for path, source in ((WEIGHTS_FOLDER / "sim-XS", "simulator"), (model_folder, "pretrained")):
        settings = PretrainedModel(source="pretrained", path=str(path))
        assert is_simulator_trained(settings) == (source == "simulator")
        fetch_pretrained("x", settings, folder)
        assert read_model_provenance(folder)["source"] == source
    copied = PretrainedModel(source="pretrained", path=str(WEIGHTS_FOLDER / "sim-XS"))
    fetch_pretrained("x", copied, folder)
    assert is_simulator_trained(PretrainedModel(source="pretrained", path=str(folder)))
    gone = PretrainedModel(source="pretrained", path="gone")
    assert is_simulator_trained(gone, folder) and not is_simulator_trained(gone)


def test_a_copy_says_what_its_model_has_learned_from(folder, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(WEIGHTS_FOLDER / "sim-XS", own)
    record = read_model_provenance(own)
    record["corpus"] = {**record["corpus"], "captions": "mine:captions"}
    (own / PROVENANCE_FILE).write_text(json.dumps(record))
    fetch_pretrained("x", PretrainedModel(source="pretrained", path=str(own)), folder)
    copied = read_model_provenance(folder)
    assert [copied[key] for key in ("corpus", "held_out")] == [record["corpus"], record["held_out"]]
    assert not has_read_shipped_captions(folder)


def test_what_is_here_is_not_fetched_again(hub, settings, folder):
    fetch_pretrained("tiny", settings, folder)
    hub.requests.clear()
    fetch_pretrained("tiny", settings, folder)
    checked = settings.model_copy(update={"sha256": read_model_provenance(folder)["sha256"]})
    fetch_pretrained("tiny", checked, folder)
    assert not hub.requests
    wrong = settings.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(UserError, match=r"models.tiny.sha256: "):
        fetch_pretrained("tiny", wrong, folder)
    assert (folder / WEIGHTS).is_file()


def test_a_folder_that_does_not_say_what_it_is_is_fetched_again(settings, folder, published):
    fetch_pretrained("tiny", settings, folder)
    (folder / "provenance.json").write_text('{"made": "by others"}')
    (folder / WEIGHTS).write_bytes(b"something else")
    fetch_pretrained("tiny", settings, folder)
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]


@pytest.mark.parametrize("damage", ["missing", "other content"])
def test_what_is_damaged_here_is_fetched_again(hub, settings, folder, published, damage):
    fetch_pretrained("tiny", settings, folder)
    (folder / WEIGHTS).unlink()
    if damage == "other content":
        (folder / WEIGHTS).write_bytes(published[WEIGHTS][:-1])
    fetch_pretrained("tiny", settings, folder)
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]


def test_a_disk_that_fills_up_at_the_end(settings, folder, monkeypatch):
    def full(*_):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    with monkeypatch.context() as patch:
        patch.setattr("vlmrm.models.fetch._try_out", full)
        assert "the disk is full; free some space and run again" in refused(settings, folder)
    fetch_pretrained("tiny", settings, folder)


def test_pickles_are_opened_by_permission_only(hub, model_folder, published, folder, tmp_path):
    name = "open_clip_pytorch_model.bin"
    torch.save(load_file(model_folder / WEIGHTS), tmp_path / name)
    pickled = (tmp_path / name).read_bytes()
    commit = hub.add(REPOSITORY, {CONFIG: published[CONFIG], name: pickled})
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    message = refused(settings, folder)
    assert message.startswith("models.tiny.allow_pickle: ")
    assert name in message
    trusted = settings.model_copy(update={"allow_pickle": True})
    fetch_pretrained("tiny", trusted, folder)
    assert sorted(path.name for path in folder.iterdir()) == [CONFIG, WEIGHTS, "provenance.json"]
    assert read_model_provenance(folder)["origin"]["sha256"] == sha256(pickled)
    for key, weights in load_file(folder / WEIGHTS).items():
        assert torch.equal(weights, load_file(model_folder / WEIGHTS)[key])


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_published_archive_is_checked_by_the_registry(
    hub, model_folder, folder, tmp_path, register
):
    archive = tmp_path / "tiny.pt"
    torch.jit.script(as_archived(load_file(model_folder / WEIGHTS))).save(str(archive))
    data = archive.read_bytes()
    hub.add("openaipublic/clip", {f"{sha256(data)}/tiny.pt": data})
    url = f"{hub.store}/openaipublic/clip/main/{sha256(data)}/tiny.pt"
    settings = register(url=url, hf_hub="absent/absent/").model_copy(update={"allow_pickle": True})
    pinned = settings.model_copy(update={"revision": "0" * 40})
    assert "models.tiny.revision: OpenAI's archives have no revisions; remove it" in refused(
        pinned, folder
    )
    fetch_pretrained("tiny", settings, folder)
    assert read_model_provenance(folder)["origin"] == {
        "url": url,
        "file": "tiny.pt",
        "sha256": sha256(data),
    }
    for key, weights in load_file(folder / WEIGHTS).items():
        assert torch.equal(weights, load_file(model_folder / WEIGHTS)[key])


def as_archived(weights):
    """As OpenAI archived its networks: weights by name, and three constants among them."""
    root = torch.nn.Module()
    for name, values in weights.items():
        *path, last = name.split(".")
        place = root
        for part in path:
            if not hasattr(place, part):
                place.add_module(part, torch.nn.Module())
            place = getattr(place, part)
        place.register_buffer(last, values)
    for constant in ("input_resolution", "context_length", "vocab_size"):
        root.register_buffer(constant, torch.tensor(7))
    return root


def test_what_open_clip_cannot_use_is_refused(hub, published, folder):
    commit = hub.add(REPOSITORY, {CONFIG: published[CONFIG], WEIGHTS: b"no weights"})
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    assert "cannot use it (" in refused(settings, folder)
    commit = hub.add(REPOSITORY, {CONFIG: b"{}", WEIGHTS: published[WEIGHTS]})
    settings = settings.model_copy(update={"revision": commit})
    assert f"its {CONFIG} is not a configuration of open_clip" in refused(settings, folder)
    commit = hub.add(REPOSITORY, {CONFIG: published[CONFIG], "model.safetensors": b""})
    settings = settings.model_copy(update={"revision": commit})
    assert f"{REPOSITORY} has no {WEIGHTS}" in refused(settings, folder)


def test_a_damaged_file_without_a_checksum_is_downloaded_again(hub, folder, published, monkeypatch):
    """Mirrors may leave the checksum out."""
    look_up = find.look_up

    def without_checksums(*arguments):
        found = look_up(*arguments)
        return replace(found, files={n: replace(f, sha256=None) for n, f in found.files.items()})

    monkeypatch.setattr(find, "look_up", without_checksums)
    commit = hub.add(REPOSITORY, {**published, WEIGHTS: published[WEIGHTS][:-1000]})
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    message = refused(settings, folder)
    assert "run again to download it once more; if that does not help, choose another" in message
    hub.repositories[REPOSITORY][commit] = published
    fetch_pretrained("tiny", settings, folder)
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]


def test_a_file_that_matches_its_checksum_is_not_downloaded_again(
    hub, settings, folder, monkeypatch
):
    """Something else is wrong, such as a library that is too old."""
    with monkeypatch.context() as patch:
        patch.setattr("vlmrm.models.fetch._try_out", Mock(side_effect=ImportError("too old")))
        message = refused(settings, folder)
    assert message.endswith("(too old); choose another model")
    hub.requests.clear()
    fetch_pretrained("tiny", settings, folder)
    assert not hub.asked_for(WEIGHTS)


def test_too_little_memory_is_called_that(settings, folder, monkeypatch):
    def full(*_):
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"
        )

    with monkeypatch.context() as patch:
        patch.setattr("vlmrm.models.fetch._try_out", full)
        message = refused(settings, folder)
    assert message.startswith("models.tiny: too little memory to try the model out; ")
    fetch_pretrained("tiny", settings, folder)


def test_weights_are_readable_for_whom_the_user_lets_read(settings, folder):
    fetch_pretrained("tiny", settings, folder)
    ordinary = folder.parent / "ordinary"
    ordinary.touch()
    for file in folder.iterdir():
        assert file.stat().st_mode == ordinary.stat().st_mode, file.name


@pytest.mark.slow
def test_once_and_then_offline_for_ever(hub, settings, folder, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        message = refused(settings, folder)
    assert message.startswith("models.tiny: HF_HUB_OFFLINE is set; unset it to download")
    fetch_pretrained("tiny", settings, folder)
    picture = tmp_path / "picture.png"
    Image.fromarray(FRAMES[0]).save(picture)
    hub.requests.clear()
    run = vlmrm("score", picture, "--model", folder, "--goal", "a robot")
    assert run.returncode == 0, run.stderr
    assert str(picture) in run.stdout
    assert not hub.requests
