"""What all runs share is what each of them says."""

import json

import h5py
import pytest

from vlmrm.checks.shared import check_shared
from vlmrm.config import parse_config
from vlmrm.errors import UserError
from vlmrm.models.folder import save_function_folder
from vlmrm.models.packaged import copy_packaged

CONTENT = {
    "run": "test",
    "scorings": ["alpha-0"],
    "tasks": {},
    "models": {
        "sim": {"source": "simulator", "architecture": "sim-S", "corpus": "small"},
        "published": {"source": "pretrained", "architecture": "ViT-B-32", "tag": "openai"},
    },
    "corpora": {"small": {"frames": {"humanoid": {"textured": 10}}}},
}


@pytest.fixture
def content():
    return json.loads(json.dumps(CONTENT))


@pytest.fixture
def resources(tmp_path):
    """Models and a corpus, as the content says."""
    config = parse_config(CONTENT).model_dump()
    for name, settings in config["models"].items():
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        record = {"settings": settings}
        if name == "sim":
            record["corpus"] = config["corpora"]["small"]
        (folder / "provenance.json").write_text(json.dumps(record))
    (tmp_path / "corpora").mkdir()
    with h5py.File(tmp_path / "corpora" / "small.h5", "w") as file:
        file.attrs["provenance"] = json.dumps({"settings": config["corpora"]["small"]})
    return tmp_path


def check(content, resources):
    check_shared(parse_config(content), resources)


def test_what_was_made_by_the_same_settings_is_shared(content, resources):
    check(content, resources)


def test_what_is_not_there_is_made(content, tmp_path):
    content["models"]["published"]["sha256"] = "0" * 64
    check(content, tmp_path)


@pytest.mark.parametrize(
    ("section", "name", "key", "value", "file"),
    [
        ("models", "sim", "epochs", 3, "models/sim"),
        ("models", "published", "tag", "laion2b_e16", "models/published"),
        ("corpora", "small", "image_size", 32, "models/sim"),
    ],
)
def test_another_definition_is_refused_and_its_key_named(
    content, resources, section, name, key, value, file
):
    content[section][name][key] = value
    with pytest.raises(UserError) as error:
        check(content, resources)
    message = str(error.value)
    assert message.startswith(f"{section}.{name}.{key}: {value}, but {resources / file} was made")
    assert f"choose another name, or delete {resources / file} to make it again" in message


def test_another_corpus_is_refused_without_any_model_of_it(content, resources):
    del content["models"]["sim"]
    content["corpora"]["small"]["seed"] = 1
    with pytest.raises(UserError, match=r"^corpora.small.seed: 1, but .*small.h5 was made with 0"):
        check(content, resources)


def test_a_model_of_another_source_is_refused(content, resources):
    content["models"]["sim"] = {"source": "random", "architecture": "sim-S"}
    with pytest.raises(UserError, match=r"^models.sim.source: random, but .* made with simulator"):
        check(content, resources)


def test_what_a_download_accepts_is_no_other_definition(content, resources):
    content["models"]["published"] |= {"allow_pickle": True, "sha256": "0" * 64}
    check(content, resources)


def test_other_weights_than_those_that_are_there_are_refused(content, resources):
    file = resources / "models" / "published" / "provenance.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps({**record, "sha256": "b" * 64, "origin": {"sha256": "a" * 64}}))
    check(content, resources)
    content["models"]["published"]["sha256"] = "a" * 64
    check(content, resources)
    content["models"]["published"]["sha256"] = "b" * 64
    with pytest.raises(UserError, match=r"^models.published.sha256: .* that have a{64}, not b"):
        check(content, resources)


def test_a_key_that_is_newer_than_the_record_has_its_default(content, resources):
    file = resources / "models" / "sim" / "provenance.json"
    record = json.loads(file.read_text())
    del record["settings"]["batch_size"]
    file.write_text(json.dumps(record))
    check(content, resources)
    content["models"]["sim"]["batch_size"] = 32
    with pytest.raises(UserError, match=r"^models.sim.batch_size: 32, but .* was made with 64"):
        check(content, resources)


@pytest.mark.parametrize("file", ["models/sim", "corpora/small.h5"])
def test_what_learned_from_states_of_another_run_is_refused(content, resources, file):
    if file.startswith("models"):
        path = resources / file / "provenance.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "corpus_run": "other"}))
    else:
        with h5py.File(resources / file, "a") as opened:
            record = json.loads(opened.attrs["provenance"])
            opened.attrs["provenance"] = json.dumps({**record, "run": "other"})
    with pytest.raises(UserError, match=rf"{file} learned from states of the run 'other'; choose"):
        check(content, resources)
    content["run"] = "other"
    check(content, resources)


def test_a_damaged_corpus_is_named(content, resources):
    (resources / "corpora" / "small.h5").write_bytes(b"not a corpus")
    with pytest.raises(UserError, match=r"small.h5: not a readable HDF5 file; delete it"):
        check(content, resources)


def test_a_packaged_model_of_another_version_is_refused(content, resources):
    content["models"] = {"sim-XS": {"source": "packaged", "architecture": "sim-XS"}}
    folder = resources / "models" / "sim-XS"
    copy_packaged(parse_config(content).models["sim-XS"], folder)
    del content["corpora"]
    check(content, resources)
    file = folder / "provenance.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "sha256": "0" * 64}))
    with pytest.raises(UserError, match=r"^models.sim-XS: .*weights/sim-XS/.* is not what .* was"):
        check(content, resources)


FUNCTION = {"source": "function", "function": "mine:make"}


def test_a_function_has_another_version_at_any_time(content, tmp_path):
    content["models"] = {"mine": FUNCTION}
    folder = tmp_path / "models" / "mine"
    save_function_folder(folder, parse_config(content).models["mine"])
    content["models"]["mine"] = {**FUNCTION, "version": "2", "settings": {"size": 3}}
    check(content, tmp_path)


def test_a_function_does_not_replace_a_model_with_weights_and_conversely(content, resources):
    content["models"]["published"] = FUNCTION
    with pytest.raises(UserError, match=r"^models\.published\.source: function, but .* pretrained"):
        check(content, resources)
    folder = resources / "models" / "published"
    save_function_folder(folder, parse_config(content).models["published"])
    content["models"]["published"] = CONTENT["models"]["published"]
    with pytest.raises(UserError, match=r"^models\.published\.source: pretrained, but .* function"):
        check(content, resources)
