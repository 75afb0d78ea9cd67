"""Published models, fetched by the hub's own client from a small hub on this machine."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import threading
import time
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import numpy as np
import open_clip
import pytest
import torch
import yaml
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tests.models.hub import TOKEN, Hub
from tests.processes import FORK, vlmrm
from vlmrm import VLMReward
from vlmrm.config import PretrainedModel
from vlmrm.errors import UserError
from vlmrm.models import pretrained
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import read_model_provenance
from vlmrm.models.hub import partial_downloads
from vlmrm.models.pretrained import fetch_pretrained, mismatched_activation

ROOT = Path(__file__).parents[2]
REPOSITORY = "somebody/tiny-clip"
WEIGHTS = "open_clip_model.safetensors"
CONFIG = "open_clip_config.json"
FRAMES = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)


CUT = 25 * huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE
"""Bytes after which connections end: less than the client keeps unless it is told to."""


@pytest.fixture(autouse=True)
def quick_client(monkeypatch):
    """No waiting between attempts."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
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
        "license": None,
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
    checked = settings.model_copy(update={"sha256": read_model_provenance(folder)["sha256"]})
    fetch_pretrained("tiny", checked, folder)
    assert not hub.requests
    wrong = settings.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(UserError, match=r"models.tiny.sha256: "):
        fetch_pretrained("tiny", wrong, folder)
    assert (folder / WEIGHTS).is_file()


def test_what_other_programs_have_downloaded_is_used(
    hub, settings, published, folder, tmp_path, monkeypatch
):
    cache = tmp_path / "cache"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    options = {"revision": settings.revision, "endpoint": hub.url, "cache_dir": cache}
    cached = Path(huggingface_hub.hf_hub_download(REPOSITORY, WEIGHTS, **options)).resolve()
    hub.requests.clear()
    fetch_pretrained("tiny", settings, folder)
    assert not hub.asked_for(WEIGHTS)
    assert (folder / WEIGHTS).samefile(cached)  # a second name of one file takes no space
    # A damaged one is downloaded.
    (folder / WEIGHTS).unlink()
    cached.write_bytes(b"damaged")
    fetch_pretrained("tiny", settings, folder)
    assert len(hub.asked_for(WEIGHTS)) == 1
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]


@pytest.mark.parametrize(
    ("proxy", "remedy"),
    [
        ("socks5://127.0.0.1:9", "install it with `pip install socksio`"),
        ("socks4://127.0.0.1:9", "correct ALL_PROXY, HTTPS_PROXY, and HTTP_PROXY"),
    ],
)
def test_proxies_that_do_not_work_are_explained(settings, tmp_path, proxy, remedy):
    folder = tmp_path / "models" / "tiny"
    file = tmp_path / "config.yaml"
    content = {"run": "r", "alphas": [0], "tasks": {}, "models": {"tiny": settings.model_dump()}}
    file.write_text(yaml.safe_dump(content))
    env = {**os.environ, "HF_ENDPOINT": "http://hub.invalid", "ALL_PROXY": proxy}
    run = vlmrm("fetch-model", "tiny", "--config", file, "--output", folder, env=env)
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert "models.tiny: " in line and remedy in line


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


def test_a_tag_gives_what_the_three_lines_of_open_clip_give(
    hub, published, folder, register, monkeypatch, tmp_path
):
    settings = register(mean=(0.1, 0.2, 0.3), interpolation="bilinear", resize_mode="squash")
    hub.add(REPOSITORY, {WEIGHTS: published[WEIGHTS]})
    fetch_pretrained("tiny", settings, folder)
    # Its client has read HF_ENDPOINT when it was imported.
    template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    network, _, preprocess = open_clip.create_model_and_transforms(
        "tiny", pretrained="here", cache_dir=str(tmp_path / "cache")
    )
    tokenizer = open_clip.get_tokenizer("tiny")
    network.eval()
    with torch.no_grad():
        pictures = torch.stack([preprocess(Image.fromarray(frame)) for frame in FRAMES])
        images = network.encode_image(pictures, normalize=True).numpy()
        prompts = network.encode_text(tokenizer(["a robot"]), normalize=True).numpy()
    model = ClipModel.load(folder, "cpu", "float32")
    np.testing.assert_allclose(model.embed_images(FRAMES), images, atol=1e-5)
    np.testing.assert_allclose(model.embed_prompts(["a robot"]), prompts, atol=1e-6)


def test_weights_of_another_activation_are_told(hub, published, folder, register, capsys):
    settings = register(quick_gelu=True)
    hub.add(REPOSITORY, {WEIGHTS: published[WEIGHTS]})
    fetch_pretrained("tiny", settings, folder)
    told = "here was trained with QuickGELU, but tiny is built with GELU"
    assert f"vlmrm: models.tiny: warning: {told}\n" in capsys.readouterr().err
    assert read_model_provenance(folder)["origin"]["warning"] == told
    assert mismatched_activation("RN50", "openai") == (
        "openai was trained with QuickGELU, but RN50 is built with GELU; use RN50-quickgelu"
    )


def test_a_tag_is_found_through_the_registry(hub, published, folder, register):
    settings = register(mean=(0.1, 0.2, 0.3))
    commit = hub.add(REPOSITORY, {WEIGHTS: published[WEIGHTS]})
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
    assert "does not answer like a model hub" in refused(settings, folder)


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
    assert "the account of HF_TOKEN has no access" in refused(settings, folder)
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
    assert f"{WEIGHTS} stopped after 6.6 MB of 14.3 MB (peer closed connection" in message
    assert message.endswith("run again to resume")
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


@pytest.mark.parametrize(
    ("status", "token", "remedy"),
    [
        (401, None, "set the environment variable HF_TOKEN to a token with access"),
        (403, "hf_of_yesterday", "HF_TOKEN is invalid or has no access; renew or unset it"),
        (404, None, "run again later, or name a mirror in HF_ENDPOINT"),
        (429, None, "run again later, or name a mirror in HF_ENDPOINT"),
        (503, None, "run again later, or name a mirror in HF_ENDPOINT"),
    ],
)
def test_a_server_that_refuses_a_file(hub, settings, folder, monkeypatch, status, token, remedy):
    hub.faults.status[WEIGHTS] = status
    with monkeypatch.context() as patch:
        if token:
            patch.setenv("HF_TOKEN", token)
        message = refused(settings, folder)
    assert f"{hub.url} answers {status} for {WEIGHTS}; {remedy}" in message
    hub.faults.clear()
    fetch_pretrained("tiny", settings, folder)


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that were waited before further attempts."""
    waited = []
    monkeypatch.setattr("vlmrm.models.hub.time.sleep", waited.append)
    return waited


@pytest.mark.parametrize("answer", [(429, {}), (502, {}), (503, {}), None])
def test_a_busy_server_is_asked_again(hub, settings, folder, published, pauses, capsys, answer):
    hub.faults.busy += [answer] * 3
    fetch_pretrained("tiny", settings, folder)
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]
    assert pauses[:3] == [2, 4, 8]
    said = [line for line in capsys.readouterr().err.splitlines() if "next attempt in" in line]
    assert len(said) == 3
    assert all(line.startswith("vlmrm: models.tiny: ") for line in said)
    if answer is not None:
        assert said[0].endswith(f"the server answers {answer[0]}; next attempt in 2 seconds")


@pytest.mark.parametrize(("asked", "waited"), [("7", 7), ("100000", 120), ("soon", 2)])
def test_a_server_says_when_to_ask_again(hub, settings, folder, pauses, asked, waited):
    hub.faults.busy.append((503, {"Retry-After": asked}))
    fetch_pretrained("tiny", settings, folder)
    assert pauses[0] == waited


def test_a_server_that_stays_busy_is_given_up(hub, settings, folder, pauses):
    hub.faults.busy += [(503, {})] * 100
    assert f"{hub.url} answers 503 for {REPOSITORY}; run again later" in refused(settings, folder)
    assert pauses == [2, 4, 8, 16]


def test_damage_on_the_way_is_seen(hub, settings, folder, published):
    hub.faults.garbled.add(WEIGHTS)
    message = refused(settings, folder)
    assert f"{WEIGHTS} is damaged" in message
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, as on Linux")
def test_a_disk_that_fills_up_on_the_way(hub, settings, folder, published):
    # The kernel's own full disk, in the place of what arrives.
    part = folder.parent / ".tiny.download" / f"{sha256(published[WEIGHTS])[:16]}-{WEIGHTS}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    assert "the disk is full; free some space and run again" in refused(settings, folder)
    assert hub.asked_for(WEIGHTS)
    part.unlink()
    fetch_pretrained("tiny", settings, folder)


def test_a_disk_that_fills_up_at_the_end(settings, folder, monkeypatch):
    def full(*_):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    with monkeypatch.context() as patch:
        patch.setattr("vlmrm.models.pretrained._try_out", full)
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


def test_other_addresses_of_the_registry_are_left_for_the_hub(hub, published, folder, register):
    """Where there are safetensors, nobody's pickle is opened, whatever is allowed."""
    settings = register(url=f"{hub.store}/elsewhere/tiny_400m.pt")
    commit = hub.add(REPOSITORY, {WEIGHTS: published[WEIGHTS]})
    fetch_pretrained("tiny", settings.model_copy(update={"allow_pickle": True}), folder)
    assert read_model_provenance(folder)["origin"]["commit"] == commit


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


def test_a_local_folder_in_the_same_layout(model_folder, folder, tmp_path, no_network, monkeypatch):
    settings = PretrainedModel(source="pretrained", path=str(model_folder))
    fetch_pretrained("tiny", settings, folder)
    assert (model_folder / WEIGHTS).is_file()
    reward = VLMReward.load(folder, "a robot", device="cpu")
    assert reward(FRAMES).shape == (3,)
    wrong = settings.model_copy(update={"sha256": "0" * 64})
    assert "models.tiny.sha256: " in refused(wrong, tmp_path / "other" / "tiny")
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**6))
        assert "needs 14.3 MB of disk space" in refused(settings, tmp_path / "other" / "tiny")
    absent = settings.model_copy(update={"path": str(tmp_path)})
    assert f"models.tiny.path: {tmp_path} has no {CONFIG}" in refused(
        absent, tmp_path / "other" / "tiny"
    )


def hold_lock(folder, held):
    with partial_downloads("models.tiny", folder):
        held.set()
        threading.Event().wait()


def test_a_killed_download_leaves_no_lock(settings, folder):
    held = FORK.Event()
    process = FORK.Process(target=hold_lock, args=(folder, held))
    process.start()
    held.wait()
    assert "another process is downloading it" in refused(settings, folder)
    process.kill()
    process.join()
    fetch_pretrained("tiny", settings, folder)


def test_two_downloads_of_one_model_at_once_are_refused(settings, folder):
    with partial_downloads("models.tiny", folder):
        assert "another process is downloading it" in refused(settings, folder)
    fetch_pretrained("tiny", settings, folder)


def test_file_systems_without_locks_will_do(settings, folder, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    fetch_pretrained("tiny", settings, folder)


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
    assert origin == {"repository": source, "commit": at, "license": None}
    no_network_after()
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(["A robot, kneeling!"])
    assert tokens[0, :4].tolist() == [3, 4, 5, 0]
    assert VLMReward.load(folder, "a robot", device="cpu")(FRAMES).shape == (3,)


def test_a_tokenizer_that_is_nowhere_is_missed_before_the_weights_arrive(
    hub, published, folder, tmp_path
):
    hub.add("somebody/tokenizer", {"tokenizer_config.json": b"{}"})
    commit = hub.add(REPOSITORY, with_hub_tokenizer(published))
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    assert "somebody/tokenizer has no tokenizer (" in refused(settings, folder)
    assert not hub.asked_for(WEIGHTS)
    incomplete = tmp_path / "incomplete"
    incomplete.mkdir()
    for name, content in with_hub_tokenizer(published).items():
        (incomplete / name).write_bytes(content)
    settings = PretrainedModel(source="pretrained", path=str(incomplete))
    assert f"{incomplete} has no tokenizer (" in refused(settings, folder)


def test_a_text_tower_that_asks_the_network_is_refused(hub, published, folder):
    config = json.loads(published[CONFIG])
    config["model_cfg"]["text_cfg"]["hf_model_name"] = "roberta-base"
    commit = hub.add(REPOSITORY, {**published, CONFIG: json.dumps(config).encode()})
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    assert "text tower, roberta-base, does not work without network" in refused(settings, folder)


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


@pytest.mark.parametrize("token", ["hf_broken\nHeader: x", "hf_schlüssel", "hf a"])
def test_a_token_that_cannot_be_one_is_not_shown(settings, folder, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(UserError) as caught:
        fetch_pretrained("tiny", settings, folder)
    message = str(caught.value)
    assert message.startswith("HF_TOKEN: contains characters that no token has")
    assert token not in message
    assert "hf_" not in message


def test_a_line_break_after_the_token_is_no_part_of_it(hub, settings, folder, monkeypatch):
    hub.gated.add(REPOSITORY)
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\n")
    fetch_pretrained("tiny", settings, folder)


def test_weights_are_readable_for_whom_the_user_lets_read(settings, folder):
    fetch_pretrained("tiny", settings, folder)
    ordinary = folder.parent / "ordinary"
    ordinary.touch()
    for file in folder.iterdir():
        assert file.stat().st_mode == ordinary.stat().st_mode, file.name


def test_a_damaged_file_without_a_checksum_is_downloaded_again(hub, folder, published, monkeypatch):
    """Mirrors may leave the checksum out."""
    look_up = pretrained.hub.look_up

    def without_checksums(*arguments):
        found = look_up(*arguments)
        return replace(found, files={n: replace(f, sha256=None) for n, f in found.files.items()})

    monkeypatch.setattr(pretrained.hub, "look_up", without_checksums)
    commit = hub.add(REPOSITORY, {**published, WEIGHTS: published[WEIGHTS][:-1000]})
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    message = refused(settings, folder)
    assert "run again to download it once more; if that does not help, choose another" in message
    hub.repositories[REPOSITORY][commit] = published
    fetch_pretrained("tiny", settings, folder)
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]


def test_too_little_memory_is_called_that(settings, folder, monkeypatch):
    def full(*_):
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"
        )

    with monkeypatch.context() as patch:
        patch.setattr("vlmrm.models.pretrained._try_out", full)
        message = refused(settings, folder)
    assert message.startswith("models.tiny: too little memory to try the model out; ")
    fetch_pretrained("tiny", settings, folder)


def test_a_local_path_may_start_at_home(published, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, data in published.items():
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(data)
    fetch_pretrained("tiny", PretrainedModel(source="pretrained", path="~/mine"), folder)
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]


@pytest.mark.parametrize(
    ("card", "license_name", "said"),
    [
        ({"license": "mit"}, "mit", "; license mit\n"),
        (
            {"license": "other", "license_name": "apple-amlr"},
            "apple-amlr",
            "; license apple-amlr, for research only\n",
        ),
        ({}, None, "; license not stated on its page\n"),
    ],
)
def test_the_license_is_printed_and_kept(hub, settings, folder, capsys, card, license_name, said):
    hub.cards[REPOSITORY] = card
    fetch_pretrained("tiny", settings, folder)
    assert said in capsys.readouterr().err
    assert read_model_provenance(folder)["origin"]["license"] == license_name
