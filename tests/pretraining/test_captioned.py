import numpy as np
import pytest

from vlmrm.config import Corpus, SimulatorModel
from vlmrm.data.files import read_provenance
from vlmrm.data.frames import FrameReader, FrameWriter
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import read_model_provenance
from vlmrm.pretraining.captioned import CaptionedPart, make_captioned_corpus
from vlmrm.pretraining.corpus import read_corpus
from vlmrm.pretraining.distances import FAR
from vlmrm.pretraining.train import train_model

SIZE = 32
NAMES = ["place", "left", "success"]


@pytest.fixture(scope="module")
def rollouts(tmp_path_factory):
    """States on the line of `tests.envs.foreign`, and frames in which their place is bright."""
    place = np.arange(160) % 4
    values = np.stack([place, 3 - place, place == 3], axis=1).astype(float)
    frames = np.zeros((len(place), SIZE, SIZE, 3), np.uint8)
    for frame, column in zip(frames, place, strict=True):
        frame[:, 8 * column : 8 * column + 8] = 250
    path = tmp_path_factory.mktemp("rollouts") / "frames.h5"
    with FrameWriter(path, len(frames)) as writer:
        writer.append(frames)
    return States("walk", values, names=NAMES), path


def make(rollouts, path, captions="captions", **changes):
    states, frames = rollouts
    settings = Corpus(
        states=["met"], captions=f"tests.envs.foreign:{captions}", image_size=SIZE, **changes
    )
    with FrameReader(frames) as reader:
        sets = [(states, reader), (states, reader)]
        make_captioned_corpus(settings, "corpora.walk", sets, path, run="mine")
    return path


@pytest.fixture(scope="module")
def corpus(rollouts, tmp_path_factory):
    return make(rollouts, tmp_path_factory.mktemp("corpora") / "walk.h5", version="2")


def test_each_frame_has_the_captions_of_its_state(corpus):
    (part,) = read_corpus(corpus)
    assert (part.environment, part.images.shape) == ("walk", (320, 3, SIZE, SIZE))
    assert len(part.sentences) == 2 * 4 + 1
    for image, texts in zip(part.images, part.captions, strict=True):
        place = int(image[0, 0].argmax()) // 8
        assert texts[-1] == "a line"
        assert ("a point at the end" in texts) == (place == 3)


def test_a_corpus_says_which_function_in_which_version_described_whose_states(corpus):
    record = read_provenance(corpus)
    assert record["run"] == "mine"
    assert record["settings"]["captions"] == "tests.envs.foreign:captions"
    assert record["settings"]["version"] == "2"


def test_sentences_are_true_of_all_states_that_have_them_and_of_no_other():
    images = np.zeros((3, 3, 1, 1), np.uint8)
    part = CaptionedPart("walk", images, [["a", "b"], ["b"], ["c"]])
    np.testing.assert_array_equal(
        part.distances_from_values(), [[0, 0, FAR], [FAR, 0, FAR], [FAR, FAR, 0]]
    )
    assert part.values == [("caption", "a"), ("caption", "b"), ("caption", "c")]


def test_held_out_frames_know_the_sentences_of_all():
    part = CaptionedPart("walk", np.zeros((20, 3, 1, 1), np.uint8), [["a"]] * 19 + [["b"]])
    assert [half.sentences for half in part.split()] == [["a", "b"], ["a", "b"]]


def test_a_frame_that_is_held_out_of_one_corpus_is_held_out_of_a_larger_one():
    images = np.random.default_rng(0).integers(0, 256, (300, 3, 2, 2), dtype=np.uint8)

    def held_out(rows):
        part = CaptionedPart("walk", images[rows], [["a"]] * len(images[rows]))
        training, held = part.split()
        assert len(training.images) + len(held.images) == len(images[rows])
        return {image.tobytes() for image in held.images}

    every, some = held_out(slice(None)), held_out(slice(100, 250))
    assert 0.05 < len(every) / len(images) < 0.15
    assert some == every & {image.tobytes() for image in images[100:250]}


def test_equal_frames_are_in_both_halves():
    part = CaptionedPart("walk", np.zeros((200, 3, 1, 1), np.uint8), [["a"]] * 200)
    assert all(len(half.images) for half in part.split())


def test_states_with_rare_sentences_are_sampled_more_often():
    part = CaptionedPart("walk", np.zeros((5, 3, 1, 1), np.uint8), [["a"]] * 4 + [["b"]])
    np.testing.assert_allclose(part.weights(), [0.5, 0.5, 0.5, 0.5, 1])


def test_a_model_learns_the_sentences_and_names_the_corpus(corpus, tmp_path):
    settings = SimulatorModel(
        source="simulator", architecture="sim-XS", corpus="walk", epochs=6, batch_size=16
    )
    train_model(settings, corpus, tmp_path / "model", "cpu")
    record = read_model_provenance(tmp_path / "model")
    assert record["held_out"]["walk"]["caption"] == 1
    assert record["held_out"]["walk"]["frames"] in range(16, 49)  # about a tenth of 320
    assert record["corpus"]["captions"] == "tests.envs.foreign:captions"
    # Guessing one of nine sentences would be right half of the time: all are true of "a line".
    model = ClipModel.load(tmp_path / "model", "cpu")
    (part,) = read_corpus(corpus)
    sentences = [f"a point {where}" for where in ("3 steps away", "2 steps away", "at the end")]
    images = model.embed_images(part.images[[0, 1, 3]].transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(
        (images @ model.embed_prompts(sentences).T).argmax(axis=1), [0, 1, 2]
    )


def test_a_sentence_that_the_model_cannot_read_to_its_end_is_named_before_training(
    rollouts, tmp_path
):
    path = make(rollouts, tmp_path / "wordy.h5", "wordy")
    settings = SimulatorModel(source="simulator", architecture="sim-XS", corpus="walk")
    with pytest.raises(UserError, match=r"^corpora\.walk\.captions: 'a point .* than sim-XS reads"):
        train_model(settings, path, tmp_path / "model", "cpu")


def test_too_many_sentences_are_refused(rollouts, tmp_path):
    with pytest.raises(UserError, match=r"^corpora\.walk\.captions: 2,001 different sentences for"):
        make(rollouts, tmp_path / "talkative.h5", "talkative")
    assert not (tmp_path / "talkative.h5").exists()


def test_states_without_names_are_refused(rollouts, tmp_path):
    states, frames = rollouts
    with pytest.raises(UserError, match="not that of its frames; delete both"):
        make((States("walk", states.values), frames), tmp_path / "old.h5")
