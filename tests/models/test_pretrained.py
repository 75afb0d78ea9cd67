"""Published models, fetched by the hub's own client from a small hub on this machine."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import huggingface_hub
import numpy as np
import open_clip
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.models.hub import TOKEN, Hub
from vlmrm import VLMReward
from vlmrm.config import PretrainedModel
from vlmrm.errors import UserError
from vlmrm.models.folder import read_model_provenance
from vlmrm.models.pretrained import fetch_pretrained

ROOT = Path(__file__).parents[2]
REPOSITORY = "somebody/tiny-clip"
WEIGHTS = "open_clip_model.safetensors"
CONFIG = "open_clip_config.json"
FRAMES = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)


CHUNK = 2**16
CUT = 100 * CHUNK


@pytest.fixture(autouse=True)
def quick_client(monkeypatch):
    """No waiting between its attempts, and what has arrived is written at once."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", CHUNK)
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def hub(monkeypatch):
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


def refused(settings, folder):
    """Fetches what cannot be fetched: the error's only line, and no folder."""
    with pytest.raises(UserError) as caught:
        fetch_pretrained("tiny", settings, folder)
    message = str(caught.value)
    assert message.startswith("models.tiny")
    assert len(message.splitlines()) == 1
    left = [path.name for path in folder.parent.iterdir()] if folder.parent.exists() else []
    assert set(left) <= {".tiny.download"}
    print(message)
    return message


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def no_network_after(request):
    return lambda: request.getfixturevalue("no_network")


def test_the_hub_of_these_tests_is_one_to_its_own_client(hub, settings, published, tmp_path):
    path = huggingface_hub.hf_hub_download(
        REPOSITORY, WEIGHTS, revision=settings.revision, endpoint=hub.url, cache_dir=tmp_path
    )
    assert Path(path).read_bytes() == published[WEIGHTS]


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
        "file": WEIGHTS,
        "sha256": sha256(published[WEIGHTS]),
    }
    assert record["parameters"] == read_model_provenance(model_folder)["parameters"]
    no_network_after()
    fetched = VLMReward.load(folder, "a robot", "anything", alpha=0.5, device="cpu")
    original = VLMReward.load(model_folder, "a robot", "anything", alpha=0.5, device="cpu")
    np.testing.assert_array_equal(fetched(FRAMES), original(FRAMES))


def test_what_is_here_is_not_fetched_again(hub, settings, folder):
    fetch_pretrained("tiny", settings, folder)
    hub.requests.clear()
    fetch_pretrained("tiny", settings, folder)
    assert not hub.requests
    other = settings.model_copy(update={"sha256": read_model_provenance(folder)["sha256"]})
    fetch_pretrained("tiny", other, folder)
    assert hub.requests


def test_a_tag_is_found_through_the_registry(hub, published, model_folder, folder, monkeypatch):
    config = json.loads(published[CONFIG])
    registered = {"url": "", "hf_hub": f"{REPOSITORY}/", "mean": (0.1, 0.2, 0.3)}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", config["model_cfg"])
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny", {"here": registered})
    commit = hub.add(REPOSITORY, {WEIGHTS: published[WEIGHTS]})
    settings = PretrainedModel(source="pretrained", architecture="tiny", tag="here")
    fetch_pretrained("tiny", settings, folder)
    assert read_model_provenance(folder)["origin"]["commit"] == commit
    preprocess = json.loads((folder / CONFIG).read_text())["preprocess_cfg"]
    assert preprocess["mean"] == [0.1, 0.2, 0.3]
    assert preprocess["size"] == 64
    unknown = settings.model_copy(update={"tag": "her"})
    assert "models.tiny.tag: 'her' is unknown for tiny; did you mean 'here'?" in refused(
        unknown, folder.with_name("x") / "tiny"
    )


def test_a_connection_refused(hub, settings, folder, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", nowhere)
    message = refused(settings, folder)
    assert f"{nowhere} cannot be reached ([Errno 111] Connection refused)" in message
    assert "HF_ENDPOINT" in message
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    fetch_pretrained("tiny", settings, folder)


def test_offline_mode_is_named(settings, folder, monkeypatch):
    # The client reads its variables when it is imported.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.utils._http.close_session()
    assert "HF_HUB_OFFLINE is set; unset it" in refused(settings, folder)
    monkeypatch.undo()
    huggingface_hub.utils._http.close_session()


def test_something_else_than_a_hub(hub, settings, folder, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}/portal")
    assert "does not answer as a hub of models does" in refused(settings, folder)


def test_unknown_repositories_and_commits(settings, folder):
    absent = settings.model_copy(update={"repository": "nobody/nothing"})
    assert "has no repository nobody/nothing, or it is private" in refused(absent, folder)
    absent = settings.model_copy(update={"revision": "0" * 40})
    message = refused(absent, folder)
    assert message.startswith(f"models.tiny.revision: {REPOSITORY} has no commit 000")
    fetch_pretrained("tiny", settings, folder)


def test_gated_models_need_the_token_of_the_environment(hub, settings, folder, monkeypatch):
    hub.gated.add(REPOSITORY)
    message = refused(settings, folder)
    assert f"{REPOSITORY} is gated and HF_TOKEN is not set" in message
    assert f"{hub.url}/{REPOSITORY}" in message
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    assert "the owner of HF_TOKEN was not let in" in refused(settings, folder)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    fetch_pretrained("tiny", settings, folder)
    assert TOKEN not in (folder / "provenance.json").read_text()
    # The store is another host, and gets none.
    assert {r.token for r in hub.asked_for(WEIGHTS)} == {None}


def test_a_download_that_breaks_off_continues_by_itself(hub, settings, folder, capfd):
    class Once(dict):
        def get(self, name, default):
            return self.pop(name, default)

    hub.faults.cut = Once({WEIGHTS: CUT})
    fetch_pretrained("tiny", settings, folder)
    assert [r.range for r in hub.asked_for(WEIGHTS)] == [None, f"bytes={CUT}-"]
    assert len(capfd.readouterr().err.splitlines()) == 1


def test_the_second_try_asks_for_the_remaining_bytes_only(hub, settings, folder, published):
    hub.faults.cut[WEIGHTS] = CUT
    message = refused(settings, folder)
    assert f"{WEIGHTS} broke off after 6.6 MB of 14.3 MB (peer closed connection" in message
    assert message.endswith("run again, it will continue")
    hub.faults.clear()
    hub.requests.clear()
    fetch_pretrained("tiny", settings, folder)
    assert [r.range for r in hub.asked_for(WEIGHTS)] == [f"bytes={CUT}-"]
    assert read_model_provenance(folder)["sha256"] == sha256(published[WEIGHTS])


def test_a_part_of_another_version_is_not_continued(hub, settings, folder, published):
    hub.faults.cut[WEIGHTS] = CUT
    refused(settings, folder)
    hub.faults.clear()
    hub.requests.clear()
    other = published[WEIGHTS][:-1] + bytes([published[WEIGHTS][-1] ^ 1])
    commit = hub.add(REPOSITORY, {**published, WEIGHTS: other})
    fetch_pretrained("tiny", settings.model_copy(update={"revision": commit}), folder)
    assert [r.range for r in hub.asked_for(WEIGHTS)] == [None]
    assert (folder / WEIGHTS).read_bytes() == other


def test_a_server_that_fails(hub, settings, folder):
    hub.faults.status[WEIGHTS] = 503
    message = refused(settings, folder)
    assert f"{hub.url} answers 503 for {WEIGHTS}; run again later" in message
    hub.faults.clear()
    fetch_pretrained("tiny", settings, folder)


def test_damage_on_the_way_is_seen(hub, settings, folder, published):
    hub.faults.garbled.add(WEIGHTS)
    message = refused(settings, folder)
    assert f"{WEIGHTS} arrived damaged" in message
    assert f"not {sha256(published[WEIGHTS])[:12]}" in message
    hub.faults.clear()
    fetch_pretrained("tiny", settings, folder)


def test_another_sha256_than_asked_for_is_not_even_downloaded(hub, settings, folder, published):
    found = sha256(published[WEIGHTS])
    message = refused(settings.model_copy(update={"sha256": "0" * 64}), folder)
    assert message.startswith(f"models.tiny.sha256: {REPOSITORY}/{WEIGHTS} has {found}, not 000")
    assert not hub.asked_for(WEIGHTS)
    right = settings.model_copy(update={"sha256": found})
    fetch_pretrained("tiny", right, folder)


def test_too_little_space_is_told_before_the_download(hub, settings, folder, monkeypatch, capsys):
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**6))
        message = refused(settings, folder)
    assert "MB of disk space, but " in message
    assert f"{folder.parent} has 1.0 MB; free some" in message
    assert not hub.asked_for(WEIGHTS)
    fetch_pretrained("tiny", settings, folder)
    assert "MB to download, " in capsys.readouterr().err


def test_a_disk_that_fills_up_on_the_way(hub, settings, folder, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("vlmrm.models.hub.http_get", full)
        assert "the disk is full; free some space" in refused(settings, folder)
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
    hub, model_folder, published, folder, tmp_path, monkeypatch
):
    archive = tmp_path / "tiny.pt"
    torch.jit.script(as_archived(load_file(model_folder / WEIGHTS))).save(str(archive))
    data = archive.read_bytes()
    hub.add("openaipublic/clip", {f"{sha256(data)}/tiny.pt": data})
    url = f"{hub.store}/openaipublic/clip/main/{sha256(data)}/tiny.pt"
    config = json.loads(published[CONFIG])["model_cfg"]
    registered = {"url": url, "hf_hub": "absent/absent/", "quick_gelu": False}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", config)
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny", {"openai": registered})
    settings = PretrainedModel(
        source="pretrained", architecture="tiny", tag="openai", allow_pickle=True
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
    assert f"its {CONFIG} is not one of open_clip's" in refused(settings, folder)
    commit = hub.add(REPOSITORY, {CONFIG: published[CONFIG], "model.safetensors": b""})
    settings = settings.model_copy(update={"revision": commit})
    assert f"{REPOSITORY} holds no {WEIGHTS}" in refused(settings, folder)


def test_a_local_folder_in_the_same_layout(model_folder, folder, tmp_path, no_network):
    settings = PretrainedModel(source="pretrained", path=str(model_folder))
    fetch_pretrained("tiny", settings, folder)
    assert (model_folder / WEIGHTS).is_file()
    reward = VLMReward.load(folder, "a robot", device="cpu")
    assert reward(FRAMES).shape == (3,)
    wrong = settings.model_copy(update={"sha256": "0" * 64})
    assert "models.tiny.sha256: " in refused(wrong, tmp_path / "other" / "tiny")
    absent = settings.model_copy(update={"path": str(tmp_path)})
    assert f"models.tiny.path: {tmp_path} has no {CONFIG}" in refused(
        absent, tmp_path / "other" / "tiny"
    )


def test_two_downloads_of_one_model_at_once_are_refused(settings, folder):
    from vlmrm.models.hub import partial_downloads

    with partial_downloads("models.tiny", folder):
        assert "another process is downloading it" in refused(settings, folder)


def with_hub_tokenizer(published):
    config = json.loads(published[CONFIG])
    config["model_cfg"]["text_cfg"] |= {
        "hf_tokenizer_name": "somebody/tokenizer",
        "tokenizer_kwargs": {"clean": "canonicalize"},
    }
    return {**published, CONFIG: json.dumps(config).encode()}


def test_a_tokenizer_of_its_own_needs_its_library(hub, published, folder, monkeypatch):
    find = "vlmrm.models.folder.importlib.util.find_spec"
    monkeypatch.setattr(find, lambda name: None)
    commit = hub.add(REPOSITORY, with_hub_tokenizer(published))
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    assert "its tokenizer needs the library transformers; install it" in refused(settings, folder)
    assert not hub.asked_for(WEIGHTS)


def tiny_siglip(folder):
    """The files of a repository as those of SigLIP 2, with small towers."""
    config = open_clip.get_model_config("ViT-B-16-SigLIP2")
    config |= {"embed_dim": 192}
    config["vision_cfg"] |= {"timm_model_name": "vit_tiny_patch16_224"}
    config["text_cfg"] |= {"vocab_size": 6, "width": 192, "heads": 3, "layers": 1}
    config["text_cfg"] |= {"hf_tokenizer_name": "somebody/tokenizer"}
    preprocess = open_clip.get_pretrained_cfg("ViT-B-16-SigLIP2", "webli")
    folder.mkdir()
    (folder / CONFIG).write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}))
    network = open_clip.create_model(f"local-dir:{folder}")
    save_file(network.state_dict(), folder / WEIGHTS)
    return {name: (folder / name).read_bytes() for name in (CONFIG, WEIGHTS)}


def tiny_tokenizer(folder):
    """The files of a repository with a tokenizer."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    words = {"<pad>": 0, "<eos>": 1, "<unk>": 2, "a": 3, "robot": 4, "kneeling": 5}
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    special = {"pad_token": "<pad>", "eos_token": "<eos>", "unk_token": "<unk>"}
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=model, **special)
    made.save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("together", [True, False])
def test_a_tokenizer_of_its_own_is_kept_with_the_weights(
    hub, folder, no_network_after, tmp_path, together
):
    """As the SigLIP family's: from the model's repository, or from its own."""
    tokenizer = tiny_tokenizer(tmp_path / "tokenizer")
    files = tiny_siglip(tmp_path / "siglip")
    commit = hub.add(REPOSITORY, {**files, **tokenizer} if together else files)
    other = hub.add("somebody/tokenizer", tokenizer)
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    fetch_pretrained("tiny", settings, folder)
    origin = read_model_provenance(folder)["origin"]["tokenizer"]
    source, at = (REPOSITORY, commit) if together else ("somebody/tokenizer", other)
    assert origin == {"repository": source, "commit": at}
    no_network_after()
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(["A robot, kneeling!"])
    assert tokens[0, :4].tolist() == [3, 4, 5, 0]
    assert VLMReward.load(folder, "a robot", device="cpu")(FRAMES).shape == (3,)


def test_a_text_tower_that_asks_the_network_is_refused(hub, published, folder):
    config = json.loads(published[CONFIG])
    config["model_cfg"]["text_cfg"]["hf_model_name"] = "roberta-base"
    commit = hub.add(REPOSITORY, {**published, CONFIG: json.dumps(config).encode()})
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    assert "its text tower, roberta-base, cannot be kept" in refused(settings, folder)


def vlmrm(*arguments, **variables):
    command = [sys.executable, "-c", "from vlmrm.cli import main; main()", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, **variables}
    )


@pytest.mark.slow
def test_on_the_command_line_and_then_offline_for_ever(hub, settings, folder, tmp_path):
    """Fresh processes, which read the client's own variables as a user's do."""
    content = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    content["models"]["tiny"] = settings.model_dump(exclude_defaults=True)
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(content))
    fetch = ("model", "fetch", "tiny", "--config", config, "--output", folder)
    run = vlmrm(*fetch, HF_HUB_OFFLINE="1")
    assert run.returncode == 2
    assert run.stderr.startswith("vlmrm: models.tiny: HF_HUB_OFFLINE is set; unset it to download")
    assert len(run.stderr.splitlines()) == 1
    assert vlmrm(*fetch).returncode == 0
    picture = tmp_path / "picture.png"
    Image.fromarray(FRAMES[0]).save(picture)
    hub.requests.clear()
    run = vlmrm(*("score", picture, "--model", folder, "--goal", "a robot"), HF_HUB_OFFLINE="1")
    assert run.returncode == 0, run.stderr
    assert str(picture) in run.stdout
    assert not hub.requests
