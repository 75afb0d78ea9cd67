import json

import pytest

from tests.plan.jobs import DEMO, LAPTOP, PAPER, embedding, fetching, unnamed
from vlmrm.config import FunctionModel
from vlmrm.config.architectures import architecture_file
from vlmrm.models.model_size import measure_size
from vlmrm.models.sizes import TABLE, ModelSize
from vlmrm.plan.cost import make_plan, warnings
from vlmrm.plan.sizes import (
    LARGEST,
    STAND_IN,
    fitting_batch,
    known_size,
    weight_bytes,
)
from vlmrm.plan.work import work_of


def describe(folder, architecture):
    """Writes what a model folder says of its towers."""
    folder.mkdir(parents=True)
    described = {"model_cfg": json.loads(architecture_file(architecture).read_text())}
    (folder / "open_clip_config.json").write_text(json.dumps(described))


def test_the_table_of_sizes_has_the_shipped_models():
    architectures = {
        model.architecture for model in (*PAPER.models.values(), *DEMO.models.values())
    }
    assert architectures | {STAND_IN} <= set(json.loads(TABLE.read_text()))


def test_a_folder_says_how_large_its_model_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    size = measure_size("ViT-L-14")
    describe(tmp_path / "mine", "ViT-L-14")
    describe(tmp_path / "resources" / "models" / "X", "ViT-L-14")
    local = unnamed(path="mine")
    fetched = unnamed(repository="a/b", revision="0" * 40)
    for config in (local, fetched):
        work = work_of(embedding("X"), config, LAPTOP)
        assert work.images == 5000
        assert work.accelerated == pytest.approx(5000 * size.image_flops / LAPTOP.flops)
        assert work.disk == 4 * 5000 * size.embedding
        assert work_of(fetching("X"), config, LAPTOP).disk == 4 * size.parameters
        assert known_size(config, "X") is not None
    assert work_of(fetching("X"), local, LAPTOP).download == 0


def test_a_job_with_a_small_model_of_ones_own_asks_for_little_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    local = unnamed(path="mine")
    fetched = unnamed(repository="a/b", revision="0" * 40)
    assert weight_bytes(local, "X") == weight_bytes(fetched, "X") == LARGEST
    for folder in (tmp_path / "mine", tmp_path / "resources" / "models" / "X"):
        describe(folder, "sim-L")
        (folder / "open_clip_model.safetensors").write_bytes(bytes(1000 * 1000))
    assert weight_bytes(local, "X") == weight_bytes(fetched, "X") == 2 * 1000 * 1000
    assert weight_bytes(DEMO, "sim-S") == 4 * measure_size("sim-S").parameters


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"model_cfg": {}}', '{"model_cfg": {"embed_dim": 9}}']
)
def test_a_model_of_unknown_size_counts_as_a_small_published_one(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "resources" / "models" / "X").mkdir(parents=True)
        (tmp_path / "resources" / "models" / "X" / "open_clip_config.json").write_text(content)
    config = unnamed(repository="a/b", revision="0" * 40)
    rows = make_plan([embedding("X")], config, LAPTOP)
    message = "models.X: of unknown size, counted as ViT-B-32 until it is fetched"
    assert list(warnings(rows, config.models, config, LAPTOP)) == [message]
    assert work_of(fetching("X"), config, LAPTOP).disk == 4 * measure_size("ViT-B-32").parameters
    assert work_of(embedding("X"), config, LAPTOP).disk == 4 * 5000 * 512


def test_a_function_has_no_size_that_could_be_fetched():
    judge = FunctionModel(source="function", function="judges:make_reward")
    config = PAPER.model_copy(update={"models": {**PAPER.models, "judge": judge}})
    [message] = warnings({}, ["judge"], config, LAPTOP)
    assert message == "models.judge: of unknown size, counted as ViT-B-32"


def test_images_that_fit_beside_the_weights_are_counted():
    size = ModelSize(
        image_size=64,
        image_flops=0,
        activations=500_000,
        image_parameters=10**9,
        parameters=2 * 10**9,
        embedding=4,
    )
    # Four fifths of the memory, less 2 GB of weights, in megabytes per image.
    assert fitting_batch(size, 5e9, "auto") == 2000
    assert fitting_batch(size, 7.5e9, "float32") == 1000
    assert fitting_batch(size, 2.4e9, "auto") == 0
    assert fitting_batch(size, 80e9, "auto") == 512 * 224**2 / 64**2
