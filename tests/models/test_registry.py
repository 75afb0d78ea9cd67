"""Every model of the paper's configuration, without its weights."""

import numpy as np
import open_clip
import pytest

from tests.paths import ROOT
from vlmrm.config import PretrainedModel, RandomModel, load_config
from vlmrm.config.architectures import sim_architectures
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel
from vlmrm.models.find import check_pretrained, mismatched_activation
from vlmrm.models.folder import read_model_provenance
from vlmrm.models.model_size import measure_size
from vlmrm.models.random_init import make_random_model
from vlmrm.models.sizes import tabulated_size

MODELS = load_config(ROOT / "config.yaml").models
ARCHITECTURES = sorted({str(model.architecture) for model in MODELS.values()})
SMALL = {"RN50-quickgelu", "MobileCLIP2-S0", "PE-Core-T-16-384"}
"""The smallest of their families; the others need more time, memory, and disk."""

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 40, 60, 3), dtype=np.uint8)

IMAGE_GFLOPS = {
    "RN50-quickgelu": 12.22,
    "ViT-L-14": 162.03,
    "ViT-H-14": 334.59,
    "ViT-bigG-14": 967.5,
}
"""Published by open_clip for one image (docs/model_profile.csv)."""

each = pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(name, marks=() if name in SMALL else pytest.mark.large)
        for name in ARCHITECTURES
    ],
)


@pytest.mark.parametrize("name", [n for n, m in MODELS.items() if isinstance(m, PretrainedModel)])
def test_open_clip_has_the_weights(name):
    check_pretrained(f"models.{name}", MODELS[name])


def test_weights_are_used_with_their_activation():
    for name, model in MODELS.items():
        if isinstance(model, PretrainedModel):
            assert mismatched_activation(model.architecture, model.tag) is None, name


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, *sim_architectures()])
def test_towers_are_counted_without_weights(architecture):
    counted = measure_size(architecture)
    published = open_clip.get_model_config(architecture)
    if published is not None:
        assert counted.embedding == published["embed_dim"]
        assert counted.image_size == published["vision_cfg"]["image_size"]
    if architecture in IMAGE_GFLOPS:
        assert counted.image_flops / 1e9 == pytest.approx(IMAGE_GFLOPS[architecture], rel=0.001)
    # A tower multiplies by each of its parameters at least once.
    assert counted.image_flops > counted.image_parameters
    assert tabulated_size(architecture) in (None, counted)


@each
def test_architectures_build_and_embed_frames(architecture, tmp_path):
    folder = tmp_path / "model"
    make_random_model(RandomModel(source="random", architecture=architecture), folder)
    model = ClipModel.load(folder, "cpu", precision="float32")
    published = open_clip.get_model_config(architecture)
    assert model.preprocessing.size == published["vision_cfg"]["image_size"]
    check_embeddings(model.embed_images(FRAMES), architecture)
    check_embeddings(model.embed_prompts(["a robot", "a robot kneeling"]), architecture)
    counted = measure_size(architecture)
    assert read_model_provenance(folder)["parameters"] == {
        "image": counted.image_parameters,
        "text": counted.parameters - counted.image_parameters,
    }


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [("ViT-B-16-SigLIP", "a vocabulary too small"), ("roberta-ViT-B-32", "needs a download")],
)
def test_random_weights_of_some_architectures_are_refused(architecture, reason, tmp_path):
    settings = RandomModel(source="random", architecture=architecture)
    with pytest.raises(UserError, match=f"architecture '{architecture}' .*{reason}"):
        make_random_model(settings, tmp_path / "model")


def check_embeddings(embeddings, architecture):
    assert embeddings.shape == (2, open_clip.get_model_config(architecture)["embed_dim"])
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
