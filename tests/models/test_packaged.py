import json

import numpy as np
import pytest

from vlmrm import VLMReward
from vlmrm.config import PackagedModel
from vlmrm.config.architectures import WEIGHTS_FOLDER, packaged_models
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import WEIGHTS_FILE, file_sha256, read_model_provenance
from vlmrm.models.packaged import copy_packaged

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)


def test_the_packaged_models_are_a_family_of_sizes_within_40_megabytes():
    assert packaged_models() == ["sim-XS", "sim-S", "sim-M", "sim-L"]
    sizes = [(WEIGHTS_FOLDER / name / WEIGHTS_FILE).stat().st_size for name in packaged_models()]
    assert sum(sizes) < 40e6


@pytest.mark.parametrize("name", packaged_models())
def test_weights_are_those_of_the_provenance(name):
    record = read_model_provenance(WEIGHTS_FOLDER / name)
    assert file_sha256(WEIGHTS_FOLDER / name / WEIGHTS_FILE) == record["sha256"]
    assert record["settings"]["architecture"] == name
    assert record["held_out"]["humanoid"]["posture"] > 0.8


def test_a_name_loads_as_a_reward_without_files_of_ones_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    reward = VLMReward.load("sim-XS", goal="a humanoid robot kneeling", device="cpu")
    assert reward(FRAMES).shape == (2,)


def test_a_folder_of_ones_own_has_precedence(monkeypatch, tmp_path, model_folder):
    (tmp_path / "sim-XS").symlink_to(model_folder)
    packaged = ClipModel.load("sim-XS", "cpu").embed_images(FRAMES)
    monkeypatch.chdir(tmp_path)
    own = ClipModel.load("sim-XS", "cpu").embed_images(FRAMES)
    assert np.abs(own - packaged).max() > 0.01


def test_an_unknown_name_lists_the_packaged_models(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"sim-XXL: no such model folder.*sim-XS, sim-S, sim-M"):
        ClipModel.load("sim-XXL", "cpu")


def test_a_copy_embeds_alike_and_names_its_training(tmp_path):
    settings = PackagedModel(source="packaged", architecture="sim-XS")
    copy_packaged(settings, tmp_path / "reward")
    copied, original = (ClipModel.load(folder, "cpu") for folder in (tmp_path / "reward", "sim-XS"))
    np.testing.assert_array_equal(copied.embed_images(FRAMES), original.embed_images(FRAMES))
    record = read_model_provenance(tmp_path / "reward")
    assert (record["source"], record["settings"]) == ("packaged", settings.model_dump())
    assert record["origin"]["corpus"]["image_size"] == 96
    assert json.loads((tmp_path / "reward" / "provenance.json").read_text()) == record
