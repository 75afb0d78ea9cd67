import numpy as np
import pytest

from vlmrm.config import PoseStates
from vlmrm.data.states import States
from vlmrm.states import sample_states
from vlmrm.states.poses import random_motion, sample_poses
from vlmrm.states.training import sample_training_states
from vlmrm.tasks.body import BodyQuantities
from vlmrm.tasks.oracles import ORACLES

TASKS = [name for name, oracle in ORACLES.items() if oracle.environment == "humanoid"]


def spec(task="kneeling", size=200, seed=0):
    return PoseStates(sampler="poses", task=task, size=size, seed=seed)


@pytest.mark.parametrize("task", TASKS)
def test_classes_are_balanced(task):
    labels = sample_poses(spec(task)).labels[task]
    assert 0.3 <= labels.mean() <= 0.55


@pytest.fixture(scope="module")
def kneeling():
    return sample_states(spec())


def test_states_are_labeled_by_every_oracle(kneeling):
    assert set(kneeling.labels) == set(TASKS)
    for task in TASKS:
        np.testing.assert_array_equal(kneeling.labels[task], ORACLES[task](kneeling.values))


def test_the_seed_determines_the_set(kneeling):
    np.testing.assert_array_equal(sample_poses(spec()).values, kneeling.values)
    other = sample_poses(spec(seed=1)).values
    assert not (other[:, None, 7:24] == kneeling.values[None, :, 7:24]).all(axis=-1).any()


def test_states_differ_in_place_direction_pose_and_motion(kneeling):
    body = BodyQuantities.of(kneeling.values)
    assert np.ptp(body.facing) > 5
    assert np.ptp(kneeling.values[:, 0]) > 0.4
    assert len(np.unique(kneeling.columns["origin"])) > 50
    assert (body.speed > 1).any()
    assert (body.uprightness < 0.3).any()


def test_states_of_a_motion_share_a_trajectory(kneeling):
    moving = np.char.startswith(kneeling.columns["origin"].astype(str), "random motion")
    _, count = np.unique(kneeling.columns["trajectory"][moving], return_counts=True)
    assert count.max() > 5
    still = kneeling.columns["trajectory"][~moving]
    assert len(np.unique(still)) == len(still)


def test_the_set_survives_a_round_trip(kneeling, tmp_path):
    kneeling.write(tmp_path / "states.h5")
    again = States.read(tmp_path / "states.h5")
    np.testing.assert_array_equal(again.values, kneeling.values)
    np.testing.assert_array_equal(again.columns["origin"], kneeling.columns["origin"])


def test_training_states_differ_even_with_the_same_seed(kneeling):
    training = sample_training_states("humanoid", 300, seed=0)
    assert training.shape == (300, 47)
    assert not (training[:, None, 7:24] == kneeling.values[None, :, 7:24]).all(axis=-1).any()
    np.testing.assert_array_equal(training, sample_training_states("humanoid", 300, seed=0))


def test_random_motion_falls():
    states, _ = random_motion(400, np.random.default_rng(0))
    assert (BodyQuantities.of(states).uprightness < 0.5).mean() > 0.2
