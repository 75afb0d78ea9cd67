import pickle

import numpy as np
import open_clip
import pytest
import torch

from vlmrm.pretraining.batches import Batches, columns, distances_by_column
from vlmrm.pretraining.captions import state_facts
from vlmrm.pretraining.corpus import CorpusPart
from vlmrm.pretraining.distances import FAR, distances
from vlmrm.states.training import sample_training_states

TOKENIZER = open_clip.SimpleTokenizer(context_length=40)


@pytest.fixture(scope="module")
def parts():
    return [
        CorpusPart(
            environment,
            np.zeros((60, 3, 1, 1), np.uint8),
            facts,
            distances(environment, states, facts),
        )
        for environment in ("humanoid", "mountain-car")
        for states in [sample_training_states(environment, 60, seed=0)]
        for facts in [state_facts(environment, states)]
    ]


def test_a_batch_depends_on_the_seed_and_its_number_alone(parts):
    first, again = (Batches(parts, TOKENIZER, 16, 10, seed=1) for _ in range(2))
    first[0]
    assert all(torch.equal(a, b) for a, b in zip(first[7], again[7], strict=True))
    assert not torch.equal(first[7].rows, first[8].rows)
    assert not torch.equal(first[7].rows, Batches(parts, TOKENIZER, 16, 10, seed=2)[7].rows)
    assert len(list(first)) == 10


def test_batches_are_the_same_in_another_process(parts):
    batches = Batches(parts, TOKENIZER, 16, 10, seed=1)
    expected = batches[3]
    sent = pickle.loads(pickle.dumps(batches))
    assert all(torch.equal(a, b) for a, b in zip(sent[3], expected, strict=True))


def test_captions_state_what_their_image_shows(parts):
    batch = Batches(parts, TOKENIZER, 200, 1, seed=0)[0]
    table = distances_by_column(parts)[batch.rows]
    assert (table[batch.stated] == 0).all()
    assert (batch.stated.sum(dim=1) > 1).float().mean() > 0.8  # others are generic


def test_tokens_are_those_of_the_tokenizer(parts):
    batches = Batches(parts, TOKENIZER, 16, 10, seed=0)
    rng = np.random.default_rng(0)
    texts = [batches._caption(row, rng)[0] for row in range(100)]
    texts.append(", ".join(texts[:9]))  # longer than the model reads
    # Captions of users' own: the tokenizer joins marks that follow each other.
    texts += ["a lid (closed), an arm", 'it says "stop", now', "45%, 3., 3, [1], a_, b...", ", "]
    tokens = torch.from_numpy(np.stack([batches._tokens(text) for text in texts]))
    assert torch.equal(tokens, TOKENIZER(texts))


def test_captions_fit_into_the_text_towers(parts):
    batch = Batches(parts, TOKENIZER, 2000, 1, seed=0)[0]
    assert (batch.tokens[:, -1] == 0).float().mean() > 0.99


def test_everything_of_another_environment_is_far(parts):
    table = distances_by_column(parts)
    robots, cars = table[: len(parts[0].images)], table[len(parts[0].images) :]
    of_robots, of_cars = (
        [column[0] == part.environment for column in columns(parts)] for part in parts
    )
    assert (robots[:, of_cars] == FAR).all()
    assert (cars[:, of_robots] == FAR).all()
    assert (cars[:, columns(parts).index(("mountain-car", "", ""))] == 0).all()


def test_a_caption_states_its_environment_and_its_facts(parts):
    robots, _ = parts
    batches = Batches([robots], TOKENIZER, 16, 10, seed=0)
    rng = np.random.default_rng(0)
    for row in range(50):
        _, stated = batches._caption(row, rng)
        said = {columns([robots])[i] for i in np.flatnonzero(stated)}
        true = {("humanoid", *fact) for fact in robots.facts[row].items()}
        assert ("humanoid", "", "") in said <= {("humanoid", "", ""), *true}
