"""Small stand-ins for published model families, each with open_clip's preprocessing.

The pipeline must embed a frame like open_clip's documented code embeds the same image: resampling,
cropping, normalization, and tower.
"""

import functools
from dataclasses import asdict, replace

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg, merge_preprocess_dict
from PIL import Image

from vlmrm.config import Rendering
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import save_model_folder
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import draw
from vlmrm.states.training import sample_training_states

RESNET = {"layers": [1, 1, 1, 1], "width": 16, "head_width": 32, "patch_size": None}
TRANSFORMER = {"layers": 2, "width": 128, "head_width": 32}
FAMILIES = {
    "OpenAI": ("RN50-quickgelu", "openai", {**RESNET, "image_size": 224}),
    "LAION": ("ViT-L-14", "laion2b_s32b_b82k", {**TRANSFORMER, "patch_size": 14}),
    "SigLIP 2": ("ViT-B-16-SigLIP2", "webli", {**TRANSFORMER, "patch_size": 16}),
    "MobileCLIP 2": ("MobileCLIP2-S0", "dfndr2b", {**RESNET, "image_size": 256}),
    "MobileCLIP 2 L": ("MobileCLIP2-L-14", "dfndr2b", {**TRANSFORMER, "patch_size": 14}),
    "PE Core": ("PE-Core-B-16", "meta", {**TRANSFORMER, "patch_size": 16}),
    "DFN": ("ViT-H-14-quickgelu", "dfn5b", {**TRANSFORMER, "patch_size": 14}),
}
"""Architecture, tag, and a small image tower of the same kind and input."""

EXPECTED = {
    "OpenAI": ("bicubic", "shortest", open_clip.OPENAI_DATASET_MEAN),
    "LAION": ("bicubic", "shortest", (0.5, 0.5, 0.5)),
    "SigLIP 2": ("bicubic", "squash", (0.5, 0.5, 0.5)),
    "MobileCLIP 2": ("bilinear", "shortest", (0, 0, 0)),
    "MobileCLIP 2 L": ("bicubic", "shortest", open_clip.OPENAI_DATASET_MEAN),
    "PE Core": ("bilinear", "squash", (0.5, 0.5, 0.5)),
    "DFN": ("bicubic", "squash", open_clip.OPENAI_DATASET_MEAN),
}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request, tmp_path_factory):
    """Name of a family, and the folder of its stand-in."""
    architecture, tag, tower = FAMILIES[request.param]
    published = open_clip.get_model_config(architecture)
    size = published["vision_cfg"]["image_size"]
    config = {
        "embed_dim": 64,
        "quick_gelu": published.get("quick_gelu", False),
        "vision_cfg": {"image_size": size, **tower},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2}
        | {"layers": 1},
    }
    preprocess = merge_preprocess_dict(
        asdict(PreprocessCfg(size=size)), open_clip.get_pretrained_cfg(architecture, tag)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = open_clip.CLIP(**config)
        set_statistics(network, size)
    folder = tmp_path_factory.mktemp("families") / request.param
    save_model_folder(folder, network, config, preprocess)
    return request.param, folder


@pytest.fixture(scope="module", params=["square", "400 x 600"])
def frames(request):
    """Frames ``[8, H, W, 3]`` of simulators."""
    return render_frames(request.param)


@functools.cache  # fixtures with parameters are made again for each family
def render_frames(shape):
    if shape == "square":
        environment, scene = "humanoid", "textured-fixed"
        rendering = Rendering(humanoid_size=480)
    else:
        environment, scene, rendering = "mountain-car", "textured", Rendering()
    renderer = make_renderer(environment, scene, rendering)
    rendered = draw(renderer, sample_training_states(environment, 8, seed=0))
    renderer.close()
    return rendered


def set_statistics(network, size):
    """Sets the statistics of each batch normalization to those of noise.

    With their initial statistics, residual towers give every image the same embedding.
    """
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None
            torch.nn.init.normal_(layer.weight, 1, 0.2)
    coarse = torch.randn(32, 3, size // 16, size // 16)
    network.train()
    with torch.no_grad():
        network.encode_image(torch.nn.functional.interpolate(coarse, size, mode="bilinear"))
    network.eval()


@pytest.fixture(scope="module")
def theirs(family, frames):
    _, folder = family
    return by_open_clip(folder, frames)


def by_open_clip(folder, frames):
    """Embeddings by the code in open_clip's documentation."""
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()
    with torch.no_grad():
        images = torch.stack([preprocess(Image.fromarray(frame)) for frame in frames])
        return model.encode_image(images, normalize=True).numpy()


def agreement(ours, theirs):
    """Least cosine of the embeddings, and of their deviations from the mean of all frames.

    Random towers give all frames similar embeddings, which hides differences from the first cosine.
    """
    mean = theirs.mean(axis=0)
    return cosines(ours, theirs).min(), cosines(ours - mean, theirs - mean).min()


def cosines(a, b):
    return (a * b).sum(axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def test_embeddings_equal_those_of_open_clip(family, frames, theirs):
    _, folder = family
    model = ClipModel.load(folder, "cpu", "float32", wide_frames="crop")
    plain, strict = agreement(model.embed_images(frames), theirs)
    print(f"1 - {1 - plain:.1e}")
    assert plain >= 0.9999
    assert strict >= 0.999


def test_the_preprocessing_is_the_familys(family):
    name, folder = family
    preprocessing = ClipModel.load(folder, "cpu", wide_frames="crop").preprocessing
    interpolation, resize_mode, mean = EXPECTED[name]
    assert preprocessing.interpolation == interpolation
    assert preprocessing.resize_mode == resize_mode
    assert preprocessing.mean == tuple(mean)


def test_wrong_preprocessing_changes_the_embeddings(family, frames, theirs):
    """The stand-ins are sensitive: wrong preprocessing changes their embeddings more."""
    name, folder = family
    model = ClipModel.load(folder, "cpu", "float32", wide_frames="crop")
    right = model.preprocessing
    other = "bilinear" if right.interpolation == "bicubic" else "bicubic"
    changes = {"mean": {"mean": (0.3, 0.4, 0.5)}, "interpolation": {"interpolation": other}}
    if frames.shape[1] != frames.shape[2]:
        mode = "shortest" if right.resize_mode == "squash" else "squash"
        changes["mode"] = {"resize_mode": mode}
    for change, values in changes.items():
        model.preprocessing = replace(right, **values)
        _, strict = agreement(model.embed_images(frames), theirs)
        assert strict < 0.99, f"{name} is insensitive to the {change}"
