import numpy as np
import pytest

from vlmrm.pretraining.facts import describe, describe_clearly
from vlmrm.states.training import sample_training_states
from vlmrm.tasks.poses import pose_library, pose_state


@pytest.fixture(scope="module")
def varied():
    return sample_training_states("humanoid", 300, seed=3)


def test_clear_facts_are_true_and_most_facts_are_clear(varied):
    everything, clear = describe(varied), describe_clearly(varied)
    assert all(c.items() <= e.items() for e, c in zip(everything, clear, strict=True))
    assert 0.8 < np.mean(["posture" in facts for facts in clear]) < 1


def test_clear_facts_do_not_depend_on_other_states(varied):
    together = describe_clearly(varied)
    assert [describe_clearly(state[None])[0] for state in varied[:20]] == together[:20]


@pytest.mark.parametrize("name", ["kneel", "lotus", "splits", "upright", "lying-back", "long-sit"])
def test_typical_poses_have_a_clear_posture(name):
    pose = next(pose for key, pose in pose_library().items() if key.split(", ")[0] == name)
    assert describe_clearly(pose.state[None])[0]["posture"] == pose.posture


def test_halfway_between_two_postures_neither_is_clear():
    falling = np.stack([pose_state({}, pitch=pitch) for pitch in (0, -45, -90)])
    upright, between, lying = describe_clearly(falling)
    assert (upright["posture"], lying["posture"]) == ("standing", "lying-on-back")
    assert "posture" not in between
