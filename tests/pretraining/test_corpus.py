import numpy as np
import pytest

from vlmrm.config import Corpus, PathStates
from vlmrm.data.files import open_hdf5, read_provenance
from vlmrm.pretraining.captions import state_facts
from vlmrm.pretraining.corpus import make_corpus, read_corpus
from vlmrm.states import sample_states


@pytest.fixture(scope="module")
def added():
    return sample_states(PathStates(sampler="paths", tasks=["kneeling"], points=5))


@pytest.fixture(scope="module")
def path(tmp_path_factory, added):
    path = tmp_path_factory.mktemp("corpus") / "toy.h5"
    frames = {"cartpole": {"gymnasium": 3}, "humanoid": {"textured-fixed": 4, "gymnasium": 2}}
    make_corpus(Corpus(frames=frames, image_size=32), path, 1, [added], run="mine")
    return path


def test_added_states_are_in_equal_shares_in_all_scenes(path, added):
    cartpole, humanoid = read_corpus(path)
    with open_hdf5(path, "corpus") as file:
        states = file["humanoid/states"][:]
    assert len(cartpole.images) == 3
    assert len(humanoid.images) == len(humanoid.facts) == 4 + 2 + 5
    # Of five states, three are in the first scene and two in the second, in turn: both get some of
    # each checkpoint.
    np.testing.assert_array_equal(states[4:7], added.values[::2])
    np.testing.assert_array_equal(states[9:], added.values[1::2])
    assert humanoid.facts[4:7] == state_facts("humanoid", added.values[::2])
    # Each frame shows its own state: the robot of one scene is not that of another.
    assert not np.array_equal(humanoid.images[4], humanoid.images[9])


def test_added_states_are_described_like_others(path):
    _, humanoid = read_corpus(path)
    assert np.isfinite(humanoid.distances).all()
    assert humanoid.distances.shape[0] == 11


def test_the_corpus_says_whose_states_were_added(path):
    assert read_provenance(path)["run"] == "mine"
