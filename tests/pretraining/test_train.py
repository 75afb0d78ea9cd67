import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from vlmrm.config import Corpus, SimulatorModel
from vlmrm.data.files import create_hdf5
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import CONFIG_FILE, read_model_provenance
from vlmrm.pretraining.corpus import CorpusPart, make_corpus, read_corpus
from vlmrm.pretraining.held_out import evaluate_held_out
from vlmrm.pretraining.train import train_model

SETTINGS = SimulatorModel(
    source="simulator", architecture="sim-XS", corpus="toy", epochs=10, batch_size=16
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpora") / "toy.h5"
    frames = {"mountain-car": {"gymnasium": 200}}
    make_corpus(Corpus(frames=frames, image_size=64, seed=0), path)
    return path


@pytest.fixture(scope="module")
def folder(corpus):
    folder = corpus.parent / "model"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    train_model(SETTINGS, corpus, folder, "cpu")
    torch.set_num_threads(threads)
    return folder


def test_training_learns_places(folder):
    # Guessing one of eight places would be right in 13 % of frames.
    assert read_model_provenance(folder)["held_out"]["mountain-car"]["place"] > 0.5


def test_the_held_out_evaluation_belongs_to_the_saved_weights(corpus, folder):
    held_out = [part.split()[1] for part in read_corpus(corpus)]
    reported = read_model_provenance(folder)["held_out"]
    assert evaluate_held_out(ClipModel.load(folder, "cpu"), held_out) == reported


def test_the_seed_determines_the_weights(corpus, tmp_path):
    def weights(name, seed):
        settings = SETTINGS.model_copy(update={"epochs": 1, "seed": seed})
        train_model(settings, corpus, tmp_path / name, "cpu")
        return load_file(tmp_path / name / "open_clip_model.safetensors")["visual.conv1.weight"]

    first = weights("a", 0)
    assert torch.equal(first, weights("b", 0))
    assert not torch.equal(first, weights("c", 1))


@pytest.mark.parametrize("epochs", [1, 2, 10])
def test_a_training_may_have_any_number_of_steps(corpus, tmp_path, epochs):
    # One batch an epoch: with ten steps, a tenth of them is a single one.
    settings = SETTINGS.model_copy(update={"epochs": epochs, "batch_size": 180})
    train_model(settings, corpus, tmp_path / "model", "cpu")
    assert (tmp_path / "model" / CONFIG_FILE).exists()


def test_training_starts_from_the_weights_of_an_initial_model(corpus, folder, tmp_path):
    settings = SETTINGS.model_copy(
        update={"epochs": 1, "initial_model": "first", "learning_rate": 1e-9}
    )
    train_model(settings, corpus, tmp_path / "next", "cpu", folder)
    before, after = (
        load_file(path / "open_clip_model.safetensors")["visual.conv1.weight"]
        for path in (folder, tmp_path / "next")
    )
    torch.testing.assert_close(after, before)
    first, following = read_model_provenance(folder), read_model_provenance(tmp_path / "next")
    assert following["initial_sha256"] == first["sha256"]


def test_an_initial_model_of_another_architecture_is_refused(corpus, folder, tmp_path):
    settings = SETTINGS.model_copy(update={"architecture": "sim-S", "initial_model": "first"})
    with pytest.raises(UserError, match="its weights are not those of sim-S; name an initial_mo"):
        train_model(settings, corpus, tmp_path / "next", "cpu", folder)
    assert not (tmp_path / "next").exists()


def test_the_model_folder_loads_like_any_other(folder):
    assert (folder / CONFIG_FILE).is_file()
    assert ClipModel.load(folder, "cpu").embed_prompts(["a car"]).shape == (1, 64)


def test_frames_without_a_clear_fact_do_not_count(folder):
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 64, 64), dtype=np.uint8)
    facts = [{"place": "valley"}, {"place": "valley"}, {}, {"place": "summit"}]
    model = ClipModel.load(folder, "cpu")

    def report(rows):
        part = CorpusPart("mountain-car", images[rows], [facts[i] for i in rows], np.zeros((4, 8)))
        return evaluate_held_out(model, [part])["mountain-car"]

    with_unclear, without = report([0, 1, 2, 3]), report([0, 1, 3])
    assert with_unclear["place"] == without["place"]
    assert (with_unclear["clear place"], without["clear place"]) == (0.75, 1)


def test_a_file_that_is_not_a_corpus_is_named(tmp_path):
    path = tmp_path / "other.h5"
    with create_hdf5(path, "states", {}):
        pass
    with pytest.raises(Exception, match=r"other\.h5"):
        read_corpus(path)


@pytest.mark.gpu
def test_training_also_learns_on_a_gpu(corpus, tmp_path):
    train_model(SETTINGS, corpus, tmp_path / "model", "cuda")
    assert read_model_provenance(tmp_path / "model")["held_out"]["mountain-car"]["place"] > 0.3
    ClipModel.load(tmp_path / "model", "cpu")


def test_a_training_that_diverges_leaves_no_model(corpus, tmp_path):
    settings = SETTINGS.model_copy(update={"learning_rate": 1e38})
    with pytest.raises(UserError, match=r"training of sim-XS diverged: .* \(now 1e\+38\)"):
        train_model(settings, corpus, tmp_path / "model", "cpu")
    assert not (tmp_path / "model").exists()
