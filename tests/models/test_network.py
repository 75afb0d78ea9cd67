"""Networks as they are loaded for inference."""

import copy
from dataclasses import asdict

import numpy as np
import open_clip
import torch
from open_clip.transform import PreprocessCfg
from torch import nn

from tests.models.test_families import agreement, by_open_clip, set_statistics
from vlmrm.models.clip import ClipModel, copy_image_tower
from vlmrm.models.folder import find_model_folder, save_model_folder

FRAMES = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)


def test_branches_of_training_are_merged_and_the_embeddings_stay(tmp_path):
    """Ding et al. (2021): the merged tower computes the same function."""
    config = open_clip.get_model_config("MobileCLIP2-S0")
    config["vision_cfg"]["image_size"] = 64
    config["text_cfg"] |= {"layers": 1, "width": 64, "heads": 2}
    preprocess = asdict(PreprocessCfg(size=64))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        towers = {key: value for key, value in config.items() if key != "custom_text"}
        network = open_clip.CustomTextCLIP(**towers)
        set_statistics(network, 64)
    save_model_folder(tmp_path / "model", network, config, preprocess)
    model = ClipModel.load(tmp_path / "model", "cpu", "float32", wide_frames="crop")

    def layers(of, kind):
        return sum(isinstance(module, kind) for module in of.visual.modules())

    assert layers(model.network, nn.BatchNorm2d) < layers(network, nn.BatchNorm2d) / 2
    assert layers(model.network, nn.Conv2d) < layers(network, nn.Conv2d)
    plain, strict = agreement(model.embed_images(FRAMES), by_open_clip(tmp_path / "model", FRAMES))
    assert plain >= 0.9999
    assert strict >= 0.999


def test_batch_norms_are_merged_and_the_embeddings_stay():
    folder = find_model_folder("sim-XS")  # trained, so that its statistics matter
    model = ClipModel.load(folder, "cpu", "float32")
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in model.network.visual.modules())
    plain, strict = agreement(model.embed_images(FRAMES), by_open_clip(folder, FRAMES))
    assert plain >= 0.99999
    assert strict >= 0.9999


def test_only_the_image_tower_leaves_main_memory(model_folder):
    """A GPU has better uses for its memory than a text tower that embeds a few sentences."""
    loaded = ClipModel.load(model_folder, "cpu", "float32")
    sentence = loaded.embed_prompts(["a robot"])
    model = ClipModel(
        "moved",
        copy.deepcopy(loaded.network),
        loaded.tokenizer,
        loaded.preprocessing,
        torch.device("meta"),
        "float32",
    )
    assert {weights.device.type for weights in model.network.visual.parameters()} == {"meta"}
    np.testing.assert_array_equal(model.embed_prompts(["a robot"]), sentence)


def test_a_copy_for_another_gpu_shares_the_text_tower(model_folder):
    network = ClipModel.load(model_folder, "cpu", "float32").network
    other = copy_image_tower(network)
    pairs = zip(network.named_parameters(), other.parameters(), strict=True)
    for (name, weights), copied in pairs:
        assert (weights is copied) == (not name.startswith("visual.")), name
        assert torch.equal(weights, copied)
