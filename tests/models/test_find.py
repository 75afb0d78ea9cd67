"""Published models are found by tag, repository, and folder, with their tokenizers."""

import json
import os
import re
import shutil
from collections import namedtuple

import huggingface_hub
import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.documentation import blocks
from tests.models.fetching import CONFIG, FRAMES, REPOSITORY, WEIGHTS, refused, sha256
from vlmrm import VLMReward
from vlmrm.checks.shared import check_shared
from vlmrm.config import PretrainedModel, parse_config
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel
from vlmrm.models.fetch import fetch_pretrained
from vlmrm.models.find import mismatched_activation
from vlmrm.models.folder import read_model_provenance, replaced_source


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
    assert preprocess["size"] == 96
    unknown = settings.model_copy(update={"tag": "her"})
    assert "models.tiny.tag: 'her' is unknown for tiny; did you mean 'here'?" in refused(
        unknown, folder.with_name("x") / "tiny"
    )


def test_another_sha256_than_asked_for_is_not_even_downloaded(hub, settings, folder, published):
    found = sha256(published[WEIGHTS])
    message = refused(settings.model_copy(update={"sha256": "0" * 64}), folder)
    assert message.startswith(f"models.tiny.sha256: {REPOSITORY}/{WEIGHTS} has {found}, not 000")
    assert not hub.asked_for(WEIGHTS)
    right = settings.model_copy(update={"sha256": found})
    fetch_pretrained("tiny", right, folder)


def test_other_addresses_of_the_registry_are_left_for_the_hub(hub, published, folder, register):
    """Where there are safetensors, nobody's pickle is opened, whatever is allowed."""
    settings = register(url=f"{hub.store}/elsewhere/tiny_400m.pt")
    commit = hub.add(REPOSITORY, {WEIGHTS: published[WEIGHTS]})
    fetch_pretrained("tiny", settings.model_copy(update={"allow_pickle": True}), folder)
    assert read_model_provenance(folder)["origin"]["commit"] == commit


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
    assert origin == {"repository": source, "commit": at, "license": None, "gated": False}
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


ELSEWHERE = [
    ("text_cfg", {"hf_model_name": "roberta-base"}, "text tower, roberta-base, does not work with"),
    ("vision_cfg", {"timm_model_name": "hf-hub:a/b"}, "image tower, hf-hub:a/b, does not work wit"),
    ("vision_cfg", {"timm_model_name": "hf_hub:a/b"}, "image tower, hf_hub:a/b, does not work wit"),
    ("vision_cfg", {"timm_model_name": "local-dir:/a"}, "image tower, local-dir:/a, does not work"),
    (
        "text_cfg",
        {"hf_tokenizer_name": "a/b", "tokenizer_kwargs": {"trust_remote_code": True}},
        "its tokenizer is made with 'trust_remote_code', which may run code",
    ),
]


@pytest.mark.parametrize(("section", "entries", "answer"), ELSEWHERE)
def test_a_model_whose_parts_are_elsewhere_is_refused(
    hub, published, folder, section, entries, answer
):
    config = json.loads(published[CONFIG])
    config["model_cfg"][section] |= entries
    commit = hub.add(REPOSITORY, {**published, CONFIG: json.dumps(config).encode()})
    settings = PretrainedModel(source="pretrained", repository=REPOSITORY, revision=commit)
    assert answer in refused(settings, folder)


@pytest.mark.parametrize(("section", "entries", "answer"), ELSEWHERE)
def test_a_foreign_folder_whose_parts_are_elsewhere_is_refused(
    published, tmp_path, no_network, section, entries, answer
):
    config = json.loads(published[CONFIG])
    config["model_cfg"][section] |= entries
    for file, data in {**published, CONFIG: json.dumps(config).encode()}.items():
        (tmp_path / file).write_bytes(data)
    with pytest.raises(UserError, match=re.escape(answer)):
        ClipModel.load(tmp_path, "cpu")


@pytest.mark.parametrize(
    ("section", "entries"),
    [
        ("vision_cfg", {"timm_model_name": "resnet10t", "timm_model_pretrained": True}),
        ("vision_cfg", {"timm_model_name": "a-model-of-the-hub", "timm_model_pretrained": True}),
        ("text_cfg", {"hf_tokenizer_name": "openai/clip-vit-base-patch32"}),
    ],
)
def test_a_foreign_folder_that_names_something_on_the_hub_asks_for_nothing(
    published, tmp_path, no_network, section, entries
):
    config = json.loads(published[CONFIG])
    config["model_cfg"][section] |= entries
    for file, data in {**published, CONFIG: json.dumps(config).encode()}.items():
        (tmp_path / file).write_bytes(data)
    with pytest.raises(UserError) as error:
        ClipModel.load(tmp_path, "cpu")
    assert str(error.value).startswith(f"{tmp_path}: ")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "content", ["[]", "{}", "3", '{"model_cfg": []}', '{"model_cfg": {"text_cfg": 3}}', "{"]
)
def test_a_folder_without_a_configuration_of_open_clip_is_refused(published, tmp_path, content):
    for file, data in {**published, CONFIG: content.encode()}.items():
        (tmp_path / file).write_bytes(data)
    with pytest.raises(UserError, match=re.escape(str(tmp_path))):
        ClipModel.load(tmp_path, "cpu")
    settings = PretrainedModel(source="pretrained", path=str(tmp_path))
    answer = refused(settings, tmp_path / "models" / "tiny")
    assert f"its {CONFIG} is not a configuration of open_clip" in answer


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


def test_the_page_makes_a_folder_of_weights_that_open_clip_has_trained(
    register, model_folder, tmp_path, monkeypatch
):
    register()
    monkeypatch.chdir(tmp_path)
    torch.save(load_file(model_folder / WEIGHTS), "my-weights.pt")
    (code,) = blocks("published-models.md", "python")
    exec(code.replace("ViT-B-32", "tiny"), {})
    made, given = (ClipModel.load(path, "cpu") for path in ("models/mine", model_folder))
    goal = "a humanoid robot kneeling"
    np.testing.assert_allclose(made.embed_prompts([goal]), given.embed_prompts([goal]), atol=1e-6)
    # The preprocessing is open_clip's own, so images differ a little.
    rewards, expected = (VLMReward(model, goal)(FRAMES) for model in (made, given))
    np.testing.assert_allclose(rewards, expected, atol=5e-3)


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_a_local_folder_with_other_files_is_another_model(published, folder, tmp_path, name):
    source = tmp_path / "source"
    source.mkdir()
    for file, data in published.items():
        (source / file).write_bytes(data)
    settings = PretrainedModel(source="pretrained", path=str(source))
    fetch_pretrained("tiny", settings, folder)
    assert replaced_source(settings, folder) is None
    made = (folder / "provenance.json").stat().st_mtime_ns
    other = tmp_path / "other"
    content = published[name]
    if name == WEIGHTS:  # as many bytes
        weights = load_file(source / name)
        save_file({key: value + 1e-3 for key, value in weights.items()}, other)
    else:
        other.write_bytes(content.replace(b'"mean"', b' "mean"'))
    # As `cp --preserve` and `rsync` do: no time of modification tells.
    times = (source / name).stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(source / name)
    assert replaced_source(settings, folder) == source / name
    models = {"tiny": settings.model_dump()}
    config = parse_config({"run": "x", "scorings": ["alpha-0"], "tasks": {}, "models": models})
    with pytest.raises(UserError, match=rf"^models\.tiny: {source / name} is not what .* made of"):
        check_shared(config, tmp_path)
    fetch_pretrained("tiny", settings, folder)
    assert (folder / "provenance.json").stat().st_mtime_ns != made
    assert replaced_source(settings, folder) is None
    # The folder works without its source.
    shutil.rmtree(source)
    assert replaced_source(settings, folder) is None


def test_files_that_are_only_newer_are_the_same_model(published, folder, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for file, data in published.items():
        (source / file).write_bytes(data)
    settings = PretrainedModel(source="pretrained", path=str(source))
    fetch_pretrained("tiny", settings, folder)
    made = (folder / "provenance.json").stat().st_mtime_ns
    for file, data in published.items():
        (source / file).write_bytes(data)
    fetch_pretrained("tiny", settings, folder)
    assert (folder / "provenance.json").stat().st_mtime_ns == made


def test_a_local_path_may_start_at_home(published, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, data in published.items():
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(data)
    fetch_pretrained("tiny", PretrainedModel(source="pretrained", path="~/mine"), folder)
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]
