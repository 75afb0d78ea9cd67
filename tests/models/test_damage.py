"""Damaged model folders are refused in one line, or embed as before."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.damage import DAMAGES, damaged
from vlmrm.config import PackagedModel
from vlmrm.errors import UserError
from vlmrm.models import packaged
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import CONFIG_FILE, PROVENANCE_FILE, WEIGHTS_FILE
from vlmrm.models.packaged import copy_packaged

FRAMES = np.random.default_rng(0).integers(0, 256, (1, 48, 64, 3), dtype=np.uint8)
FILES = (CONFIG_FILE, WEIGHTS_FILE, PROVENANCE_FILE)


@pytest.fixture
def folder(tmp_path, model_folder):
    shutil.copytree(model_folder, tmp_path / "model")
    return tmp_path / "model"


def embed(folder):
    model = ClipModel.load(folder, "cpu")
    return model.embed_images(FRAMES), model.embed_prompts(["a pole"])


def refused(folder):
    with pytest.raises(UserError) as caught:
        embed(folder)
    message = str(caught.value)
    assert message.startswith(str(folder)) and "make it again" in message
    assert len(message.splitlines()) == 1 and len(message) < 400
    return message


@pytest.mark.parametrize("name", FILES)
def test_damage_is_refused_in_one_line_or_without_effect(folder, name):
    expected = embed(folder)
    content, rng, wrong = (folder / name).read_bytes(), np.random.default_rng(3), 0
    for _ in range(DAMAGES):
        (folder / name).write_bytes(damaged(content, rng))
        try:
            found = embed(folder)
        except UserError:
            wrong += 1
            refused(folder)
        else:
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_array_equal(a, b)
    assert wrong > DAMAGES / 3


def test_a_configuration_with_another_number_is_refused(folder):
    """It is sound JSON, and open_clip would load it."""
    config = json.loads((folder / CONFIG_FILE).read_text())
    config["preprocess_cfg"]["mean"][0] = 0.4
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    assert "checksum is not that of provenance.json" in refused(folder)


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert f"no {name}" in refused(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (PROVENANCE_FILE, "[]"),
        (PROVENANCE_FILE, '{"files": 3}'),
        (PROVENANCE_FILE, '{"origin": "x"}'),
        (CONFIG_FILE, "{}"),
        (CONFIG_FILE, '{"model_cfg": 3}'),
        (CONFIG_FILE, '{"model_cfg": {"text_cfg": []}}'),
        (CONFIG_FILE, '{"model_cfg": {"embed_dim": "x", "vision_cfg": {}, "text_cfg": {}}}'),
        (CONFIG_FILE, "[" * 10_000),
        (CONFIG_FILE, '{"model_cfg": {}, "preprocess_cfg": {"size": "large"}}'),
    ],
)
def test_other_content_is_refused(folder, name, content):
    (folder / PROVENANCE_FILE).unlink()  # without checksums
    (folder / name).write_text(content)
    refused(folder)


def test_a_text_tower_on_the_hub_is_not_downloaded(folder):
    config = json.loads((folder / CONFIG_FILE).read_text())
    config["model_cfg"]["text_cfg"]["hf_model_name"] = "somebody/tower"
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    with pytest.raises(UserError, match="its text tower, somebody/tower, does not work without"):
        embed(folder)


def test_a_damaged_packaged_model_is_not_copied(folder, tmp_path, monkeypatch):
    folder.rename(tmp_path / "sim-XS")
    weights = tmp_path / "sim-XS" / WEIGHTS_FILE
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    monkeypatch.setattr(packaged, "WEIGHTS_FOLDER", tmp_path)
    with pytest.raises(UserError, match="its checksum is not that of"):
        copy_packaged(PackagedModel(source="packaged", architecture="sim-XS"), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_embeddings_that_are_not_finite_are_refused(folder):
    (folder / PROVENANCE_FILE).unlink()
    weights = load_file(folder / WEIGHTS_FILE)
    weights["visual.conv1.weight"][0] = np.nan
    save_file(weights, folder / WEIGHTS_FILE)
    model = ClipModel.load(folder, "cpu", "float32")
    with pytest.raises(UserError, match=r"^model: its embeddings are not finite; use"):
        model.embed_images(FRAMES)
