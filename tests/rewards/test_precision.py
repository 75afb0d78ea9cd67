"""`vlmrm compare-precision`: error and speed of lower precisions."""

from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr

from tests.processes import vlmrm
from vlmrm.config import Rendering
from vlmrm.config.settings import EmbeddingSettings
from vlmrm.data.frames import FrameReader, FrameWriter
from vlmrm.models.clip import ClipModel
from vlmrm.rendering import make_renderer
from vlmrm.rendering.parallel import draw
from vlmrm.rewards.precision import compare_precisions, embed_sample
from vlmrm.rewards.vlm import VLMReward
from vlmrm.states.training import sample_training_states

GOAL, BASELINE = ["a humanoid robot kneeling"], ["a humanoid robot"]


@pytest.fixture(scope="module")
def frames():
    renderer = make_renderer("humanoid", "textured-fixed", Rendering(humanoid_size=64))
    rendered = draw(renderer, sample_training_states("humanoid", 24, seed=0))
    renderer.close()
    return rendered


def test_the_first_row_is_float32_with_which_the_others_are_compared(model_folder, frames):
    table = compare_precisions(
        model_folder, frames, GOAL, BASELINE, "alpha-0.5", device="cpu"
    ).set_index("precision")
    assert list(table.index) == ["float32", "bfloat16"]
    exact, rounded = table.loc["float32"], table.loc["bfloat16"]
    assert exact["largest_error"] == exact["mean_error"] == 0
    assert exact["spearman"] == pytest.approx(1)
    assert (table["images_per_second"] > 0).all()
    rewards = [
        VLMReward.load(model_folder, GOAL, BASELINE, "alpha-0.5", None, "cpu", precision)(frames)
        for precision in ("float32", "bfloat16")
    ]
    assert rounded["largest_error"] == pytest.approx(np.abs(rewards[1] - rewards[0]).max())
    assert rounded["spread"] == pytest.approx(rewards[1].std())
    # bfloat16 has 8 significant bits. A random model's rewards differ by less, so their ranking
    # means nothing here.
    assert 0 < rounded["largest_error"] < 2**-5
    assert rounded["spearman"] == pytest.approx(spearmanr(*rewards)[0])


def test_a_batch_for_which_a_gpu_lacks_memory_is_embedded_on_the_cpu(
    model_folder, frames, tmp_path, monkeypatch
):
    load, devices = ClipModel.load, []

    def loaded(folder, device, **options):
        devices.append(device)
        model = load(folder, "cpu", **options)
        if device != "cpu":
            model.embed_images = Mock(side_effect=torch.cuda.OutOfMemoryError("out of memory"))
        return model

    monkeypatch.setattr(ClipModel, "load", loaded)
    with FrameWriter(tmp_path / "frames.h5", len(frames)) as writer:
        writer.append(frames)
    with FrameReader(tmp_path / "frames.h5") as reader:
        rows, sample = embed_sample(model_folder, reader, EmbeddingSettings(), "auto")
    assert devices == ["auto", "cpu"]
    assert len(rows) == len(sample) == len(frames)


@pytest.mark.gpu
def test_float16_is_measured_on_a_gpu(model_folder, frames):
    table = compare_precisions(model_folder, frames, GOAL, device="cuda")
    assert list(table["precision"]) == ["float32", "bfloat16", "float16"]


def test_on_the_command_line(model_folder, frames, tmp_path):
    file, table = tmp_path / "frames.h5", tmp_path / "precision.csv"
    with FrameWriter(file, len(frames)) as writer:
        writer.append(frames)
    command = (
        "compare-precision",
        model_folder,
        "--frames",
        file,
        "--goal",
        GOAL[0],
        "--count",
        8,
        "--output",
        table,
    )
    run = vlmrm(*command, "--device", "cpu")
    assert run.returncode == 0, run.stderr
    title, header, *rows = run.stdout.splitlines()
    assert title == "8 frames, alpha-0, cpu"
    assert header.split() == list(pd.read_csv(table))
    assert [row.split()[0] for row in rows] == ["float32", "bfloat16"]
    run = vlmrm(*command, "--scoring", "alpha-0.5")
    assert run.returncode == 2
    assert run.stderr == "vlmrm: --baseline: missing; alpha-0.5 needs one\n"
