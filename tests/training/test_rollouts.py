import numpy as np
import pytest

from vlmrm.config import TrainingRun, load_config
from vlmrm.errors import UserError
from vlmrm.rewards.sources import reference_reward
from vlmrm.training.rollouts import sample_rollouts
from vlmrm.training.run import train


@pytest.fixture(scope="module")
def config():
    return load_config("config/smoke.yaml")


@pytest.fixture(scope="module")
def spec(config):
    spec = config.state_sets["rollouts"]
    run = spec.run.model_copy(update={"task": "cartpole", "reward": "oracle", "scene": "gymnasium"})
    return spec.model_copy(update={"environment": "cartpole", "run": run, "size": 100})


@pytest.fixture(scope="module")
def trained(config, spec, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    run = TrainingRun(**spec.run.model_dump())
    train(run, config, reference_reward("oracle", config.tasks["cartpole"]), folder)
    return folder


def test_every_checkpoint_has_its_share(config, spec, trained):
    states = sample_rollouts(spec, config, trained)
    assert states.values.shape == (100, 4)
    names = {p.stem for p in (trained / "checkpoints").glob("*.zip")}
    assert len(names) >= 2
    origins, counts = np.unique(states.columns["origin"], return_counts=True)
    assert set(origins) == {f"checkpoint {name}" for name in names}
    assert counts.min() > 0.5 * counts.max()
    assert set(states.labels) == {"cartpole"}


def test_states_of_a_trajectory_come_from_one_checkpoint(config, spec, trained):
    states = sample_rollouts(spec, config, trained)
    for trajectory in np.unique(states.columns["trajectory"]):
        of_it = states.columns["trajectory"] == trajectory
        assert len(set(states.columns["origin"][of_it])) == 1


def test_a_seed_is_a_set(config, spec, trained):
    first, again = (sample_rollouts(spec, config, trained).values for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = sample_rollouts(spec.model_copy(update={"seed": 1}), config, trained).values
    assert not np.array_equal(first, other)


def test_a_folder_without_checkpoints_is_named(config, spec, tmp_path):
    with pytest.raises(UserError, match="holds no checkpoints"):
        sample_rollouts(spec, config, tmp_path)
