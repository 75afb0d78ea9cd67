import json
import shutil
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from vlmrm.config import RandomModel
from vlmrm.config.architectures import open_clip_architectures, sim_architectures
from vlmrm.errors import UserError
from vlmrm.machine import gpus
from vlmrm.models.clip import ClipModel, choose_device, choose_precision
from vlmrm.models.folder import read_model_provenance
from vlmrm.models.random_init import make_random_model

FRAMES = np.random.default_rng(0).integers(0, 256, (5, 96, 96, 3), dtype=np.uint8)
PROMPTS = ["a humanoid robot kneeling", "a humanoid robot"]


def test_embeddings_equal_open_clips(model_folder):
    network, _, transform = open_clip.create_model_and_transforms(f"local-dir:{model_folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{model_folder}")
    network.eval()
    with torch.no_grad():
        images = torch.stack([transform(Image.fromarray(frame)) for frame in FRAMES])
        expected_images = network.encode_image(images, normalize=True).numpy()
        expected_prompts = network.encode_text(tokenizer(PROMPTS), normalize=True).numpy()
    model = ClipModel.load(model_folder, "cpu", "float32")
    np.testing.assert_allclose(model.embed_images(FRAMES), expected_images, atol=1e-5)
    np.testing.assert_allclose(model.embed_prompts(PROMPTS), expected_prompts, atol=1e-5)


class LengthAsState:
    """A tokenizer that keeps the length of a call until its end, as fast tokenizers do."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.context_length = self.length = tokenizer.context_length

    def __call__(self, texts, context_length=None):
        self.length = context_length or self.context_length
        time.sleep(0.001)
        return self.tokenizer(texts, context_length=self.length)


def test_threads_share_a_model(model_folder):
    model = ClipModel.load(model_folder, "cpu", "float32")
    expected = model.embed_prompts(PROMPTS)
    model.tokenizer = LengthAsState(model.tokenizer)
    with ThreadPoolExecutor(4) as threads:
        for embeddings in threads.map(model.embed_prompts, [PROMPTS] * 20):
            np.testing.assert_allclose(embeddings, expected, atol=1e-5)


def test_embeddings_are_unit_vectors_and_independent_of_the_batch(model_folder):
    model = ClipModel.load(model_folder, "cpu", "float32")
    together = model.embed_images(FRAMES)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(model.embed_images(FRAMES, batch_size=2), together, atol=1e-5)


def test_random_weights_depend_only_on_the_seed(tmp_path):
    def sha256(name, seed):
        settings = RandomModel(source="random", architecture="sim-XS", seed=seed)
        make_random_model(settings, tmp_path / name)
        return read_model_provenance(tmp_path / name)["sha256"]

    assert sha256("a", 0) == sha256("b", 0) != sha256("c", 1)


def test_provenance_counts_the_parameters_of_the_towers(model_folder):
    network = open_clip.create_model(f"local-dir:{model_folder}")
    parameters = read_model_provenance(model_folder)["parameters"]
    assert parameters["image"] == sum(p.numel() for p in network.visual.parameters())
    assert sum(parameters.values()) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("missing", ["open_clip_config.json", "open_clip_model.safetensors"])
def test_an_incomplete_folder_is_refused_by_name(model_folder, tmp_path, missing):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in model_folder.iterdir():
        if file.name != missing:
            (folder / file.name).symlink_to(file)
    with pytest.raises(UserError, match=f"model: no {missing}"):
        ClipModel.load(folder)
    with pytest.raises(UserError, match="absent: no such model folder"):
        ClipModel.load(tmp_path / "absent")


@pytest.mark.parametrize("damaged", ["open_clip_config.json", "open_clip_model.safetensors"])
def test_a_damaged_folder_is_refused_by_name(model_folder, tmp_path, damaged):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    (folder / damaged).write_bytes((folder / damaged).read_bytes()[:100])
    with pytest.raises(UserError, match=r"model.*delete the (model )?folder and make it again"):
        ClipModel.load(folder)


def test_weights_of_another_model_are_refused(model_folder, tmp_path):
    shutil.copytree(model_folder, tmp_path / "mine")
    weights = tmp_path / "mine" / "open_clip_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(UserError, match=r"its checksum is not that of provenance\.json; delete"):
        ClipModel.load(tmp_path / "mine", "cpu")
    (tmp_path / "mine" / "provenance.json").unlink()  # as of a folder from elsewhere
    ClipModel.load(tmp_path / "mine", "cpu")


def test_architecture_names_are_those_that_open_clip_lists():
    assert open_clip_architectures() == sorted(open_clip.list_models())
    assert not set(sim_architectures()) & set(open_clip_architectures())


def test_simulator_architectures_grow_with_their_names(tmp_path):
    sizes = []
    for name in ("sim-XS", "sim-S", "sim-M", "sim-L"):
        make_random_model(RandomModel(source="random", architecture=name), tmp_path / name)
        sizes.append(read_model_provenance(tmp_path / name)["parameters"]["image"])
        config = json.loads((tmp_path / name / "open_clip_config.json").read_text())
        assert config["model_cfg"]["vision_cfg"]["image_size"] == 96
    assert sizes == sorted(sizes)
    assert set(sim_architectures()) == {"sim-XS", "sim-S", "sim-M", "sim-L"}


def test_bfloat16_changes_embeddings_little(model_folder):
    exact, fast = (ClipModel.load(model_folder, "cpu", p) for p in ("float32", "bfloat16"))
    cosine = (exact.embed_images(FRAMES) * fast.embed_images(FRAMES)).sum(axis=1)
    assert (cosine > 0.999).all()
    assert not np.array_equal(exact.embed_images(FRAMES), fast.embed_images(FRAMES))
    # Sentences are always embedded in float32.
    np.testing.assert_array_equal(exact.embed_prompts(PROMPTS), fast.embed_prompts(PROMPTS))
    assert np.linalg.norm(fast.embed_images(FRAMES), axis=1) == pytest.approx(1, abs=1e-6)


def test_auto_is_a_precision_in_which_the_device_is_fast():
    fast = torch.cpu._is_amx_tile_supported()
    precision = choose_precision("auto", torch.device("cpu"))
    assert precision == ("bfloat16" if fast else "float32")
    assert choose_precision("float16", torch.device("cpu")) == "float16"


def test_openai_normalization_replaces_that_of_the_model(model_folder):
    own, openai = (
        ClipModel.load(model_folder, "cpu", openai_normalization=o) for o in (False, True)
    )
    assert own.preprocessing.mean != openai.preprocessing.mean
    assert openai.preprocessing.mean == pytest.approx((0.481, 0.458, 0.408), abs=1e-3)
    assert openai.preprocessing.std == pytest.approx((0.269, 0.261, 0.276), abs=1e-3)
    assert openai.preprocessing.size == own.preprocessing.size


def test_replicas_share_the_images_and_give_the_same_embeddings(model_folder):
    expected = ClipModel.load(model_folder, "cpu", "float32").embed_images(FRAMES)
    loaded = ClipModel.load(model_folder, "cpu", "float32")
    cpu = torch.device("cpu")
    model = ClipModel(
        "m", loaded.network, loaded.tokenizer, loaded.preprocessing, cpu, replicas=[cpu]
    )
    seen = []
    for number, network in enumerate(t.network for t in model._towers):
        network.visual.register_forward_pre_hook(
            lambda _, inputs, number=number: seen.append((number, len(inputs[0])))
        )
    np.testing.assert_allclose(model.embed_images(FRAMES), expected, atol=1e-6)
    assert seen == [(0, 3), (1, 2)]
    seen.clear()
    np.testing.assert_allclose(model.embed_images(FRAMES, batch_size=1), expected, atol=1e-6)
    assert [number for number, _ in seen] == [0, 1, 0, 1, 0]


@pytest.mark.gpu
def test_embeddings_on_gpu_and_cpu_agree(model_folder):
    expected = ClipModel.load(model_folder, "cpu", "float32").embed_images(FRAMES)
    for count in {1, torch.cuda.device_count()}:
        exact = ClipModel.load(model_folder, precision="float32", gpus=count)
        assert exact.device.type == "cuda"
        assert (exact.embed_images(FRAMES) * expected).sum(axis=1).min() > 0.9999
        # Batches are copied while others are computed.
        several = exact.embed_images(np.concatenate([FRAMES] * 40), batch_size=1)
        assert (several.reshape(40, *expected.shape) * expected).sum(axis=2).min() > 0.9999
        rounded = ClipModel.load(model_folder, gpus=count)
        assert (rounded.embed_images(FRAMES) * expected).sum(axis=1).min() > 0.999


def test_an_unused_gpu_warns(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(gpus, "NVIDIA_DEVICES", (tmp_path, "nvidia[0-9]*"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose_device("auto").type == "cpu"
    (tmp_path / "nvidia3").touch()
    with pytest.warns(UserWarning, match="PyTorch cannot use it and computes on the CPU"):
        assert choose_device("auto").type == "cpu"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # on purpose
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose_device("auto").type == "cpu"


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("no memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
    ids=["torch", "cublas", "cudnn"],
)
def test_batches_shrink_until_they_fit_into_the_memory(model_folder, monkeypatch, error):
    model = ClipModel.load(model_folder, "cpu", "float32")
    expected = model.embed_images(FRAMES)
    sizes = []
    (tower,) = model._towers
    embed = tower.embed

    def small_memory(batch, preprocessing):
        sizes.append(len(batch))
        if len(batch) > 2:
            raise error
        return embed(batch, preprocessing)

    monkeypatch.setattr(tower, "embed", small_memory)
    np.testing.assert_allclose(model.embed_images(FRAMES), expected, atol=1e-5)
    assert sizes == [5, 2, 2, 1]
    sizes.clear()
    model.embed_images(FRAMES)
    assert sizes == [2, 2, 1]
    with pytest.raises(type(error)):
        model.embed_images(FRAMES, batch_size=5)


def test_other_errors_are_not_taken_for_a_lack_of_memory(model_folder, monkeypatch):
    model = ClipModel.load(model_folder, "cpu", "float32")

    def broken(*_):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(model._towers[0], "embed", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        model.embed_images(FRAMES)


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((6, 1), "float32"), ((7, 5), "float16"), ((8, 0), "bfloat16"), ((12, 0), "bfloat16")],
)
def test_a_gpu_computes_in_what_it_is_fast_in(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert choose_precision("auto", torch.device("cuda")) == expected
