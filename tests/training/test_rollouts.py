import numpy as np
import pytest

from vlmrm.config import RolloutStates, TrainingRun, load_config
from vlmrm.errors import UserError
from vlmrm.rewards.files import RewardFiles
from vlmrm.rewards.sources import reward_source
from vlmrm.training.rollouts import Selection, collect, sample_rollouts
from vlmrm.training.run import train


@pytest.fixture(scope="module")
def config():
    return load_config("config/smoke.yaml")


@pytest.fixture(scope="module")
def settings(config):
    run = {"task": "cartpole", "reward_source": "oracle", "scene": "gymnasium", "seed": 0}
    spec = RolloutStates(
        sampler="rollouts", environment="cartpole", run=TrainingRun(**run), size=100
    )
    sets = {**config.state_sets, "rollouts": spec}
    return config.model_copy(update={"state_sets": sets}).rollout_settings("rollouts")


@pytest.fixture(scope="module")
def trained(config, settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    training = config.training_settings(settings.spec.run)
    short = {"total_timesteps": 400, "learning_starts": 100, "save_freq": 200}
    agent = training.agent.model_copy(update=short)
    training = training.model_copy(update={"agent": agent, "video": None})
    train(training, reward_source(training, RewardFiles()), folder)
    return folder


@pytest.fixture(scope="module")
def states(settings, trained):
    return sample_rollouts(settings, trained)


def test_every_checkpoint_has_its_share(states, trained):
    assert states.values.shape == (100, 4)
    names = {p.stem for p in (trained / "checkpoints").glob("*.zip")}
    assert len(names) >= 2
    origins, counts = np.unique(states.columns["origin"], return_counts=True)
    assert set(origins) == {f"checkpoint {name}" for name in names}
    assert counts.min() > 0.5 * counts.max()
    assert set(states.labels) == {"cartpole"}


def test_states_of_a_trajectory_say_when_they_were_visited(states):
    steps, trajectories = states.columns["step"], states.columns["trajectory"]
    assert set(np.unique(steps)) <= set(range(0, 200, 5))
    assert len({*zip(trajectories, steps, strict=True)}) == len(states)
    within = np.diff(trajectories) == 0
    assert (np.diff(steps)[within] > 0).all(), "in the order of time"


def test_states_of_a_trajectory_come_from_one_checkpoint(states):
    for trajectory in np.unique(states.columns["trajectory"]):
        of_it = states.columns["trajectory"] == trajectory
        assert len(set(states.columns["origin"][of_it])) == 1


def test_steps_count_from_the_start_of_the_episode_that_a_state_is_of(settings):
    dones = np.zeros((2, 30), bool)
    dones[1, [6, 17]] = True  # the next episodes start at 7 and 18
    selection = Selection([None], [0], trajectories=2, rows=np.arange(12))
    columns = collect(settings, selection, np.zeros((12, 4)), dones).columns
    assert columns["trajectory"].tolist() == [0, 0, 0, 0, 0, 0, 3, 3, 4, 4, 5, 5]
    assert columns["step"].tolist() == [0, 5, 10, 15, 20, 25, 0, 5, 3, 8, 2, 7]


def test_a_seed_is_a_set(settings, trained, states):
    again = sample_rollouts(settings, trained)
    np.testing.assert_array_equal(states.values, again.values)
    spec = settings.spec.model_copy(update={"seed": 1})
    other = sample_rollouts(settings.model_copy(update={"spec": spec}), trained).values
    assert not np.array_equal(states.values, other)


def test_a_folder_without_checkpoints_is_named(settings, tmp_path):
    with pytest.raises(UserError, match="has no checkpoints"):
        sample_rollouts(settings, tmp_path)
