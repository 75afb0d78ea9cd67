import numpy as np
import pytest

from vlmrm.config import PathStates
from vlmrm.pretraining.captions import LEADING, PHRASES
from vlmrm.pretraining.classic_facts import cartpole_margins, mountain_car_margins
from vlmrm.pretraining.facts import describe, describe_clearly, distances
from vlmrm.pretraining.humanoid_facts import humanoid_margins
from vlmrm.states.paths import sample_paths
from vlmrm.states.training import sample_training_states
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import mirrored, pose_library, pose_state

MARGINS = {
    "humanoid": humanoid_margins,
    "cartpole": cartpole_margins,
    "mountain-car": mountain_car_margins,
}


def values_of(environment):
    return [(fact, value) for fact, values in PHRASES[environment].items() for value in values]


def column(environment, fact, value):
    return values_of(environment).index((fact, value))


@pytest.fixture(scope="module")
def varied():
    return sample_training_states("humanoid", 300, seed=3)


@pytest.mark.parametrize("environment", PHRASES)
def test_every_fact_has_phrases(environment):
    margins = MARGINS[environment](sample_training_states(environment, 3, seed=0))
    assert {fact: set(values) for fact, values in PHRASES[environment].items()} == {
        fact: set(values) for fact, values in margins.items()
    }


@pytest.mark.parametrize("environment", PHRASES)
def test_each_state_has_one_value_of_each_fact_and_is_at_no_distance_from_it(environment):
    states = sample_training_states(environment, 300, seed=1)
    facts, table = describe(environment, states), distances(environment, states)
    assert table.dtype == np.float32 and np.isfinite(table).all()
    shown = [[f[fact] == value for fact, value in values_of(environment)] for f in facts]
    np.testing.assert_array_equal(table == 0, shown)


def test_clear_facts_are_true_and_most_facts_are_clear(varied):
    everything, clear = describe("humanoid", varied), describe_clearly("humanoid", varied)
    assert all(c.items() <= e.items() for e, c in zip(everything, clear, strict=True))
    assert 0.8 < np.mean(["posture" in facts for facts in clear]) < 1


def test_clear_facts_do_not_depend_on_other_states(varied):
    together = describe_clearly("humanoid", varied)
    alone = [describe_clearly("humanoid", state[None])[0] for state in varied[:20]]
    assert alone == together[:20]


@pytest.mark.parametrize("name", ["kneel", "lotus", "splits", "upright", "lying-back", "long-sit"])
def test_typical_poses_have_a_clear_posture(name):
    pose = next(pose for key, pose in pose_library().items() if key.split(", ")[0] == name)
    assert describe_clearly("humanoid", pose.state[None])[0]["posture"] == pose.posture


def test_halfway_between_two_postures_neither_is_clear():
    falling = np.stack([pose_state({}, pitch=pitch) for pitch in (0, -45, -90)])
    upright, between, lying = describe_clearly("humanoid", falling)
    assert (upright["posture"], lying["posture"]) == ("standing", "lying-on-back")
    assert "posture" not in between


def test_left_and_right_do_not_matter(varied):
    table, reflected = distances("humanoid", varied), distances("humanoid", mirrored(varied))
    np.testing.assert_allclose(table, reflected, atol=1e-4)


@pytest.mark.parametrize(
    ("task", "value"), [("kneeling", "kneeling"), ("lotus", "lotus"), ("splits", "splits")]
)
def test_on_the_way_to_a_pose_its_distance_falls(task, value):
    path = sample_paths(PathStates(sampler="paths", tasks=[task], points=9)).values
    assert (np.diff(distances("humanoid", path)[:, column("humanoid", "posture", value)]) < 0).all()


def test_a_state_is_the_nearer_the_fewer_marks_of_a_posture_it_lacks():
    poses = {key.split(", ")[0]: pose for key, pose in pose_library().items()}
    states = np.stack([poses[name].state for name in ("splits", "long-sit", "upright")])
    table = distances("humanoid", states)
    there, sitting, standing = table[:, column("humanoid", "posture", "splits")]
    assert there == 0 < sitting < standing


@pytest.mark.parametrize(
    ("oracle", "stated"),
    [
        ("kneeling", [("posture", "kneeling")]),
        ("lotus", [("posture", "lotus")]),
        ("splits", [("posture", "splits")]),
        ("arms-crossed", [("posture", "standing"), ("arms", "crossed")]),
        ("one-leg", [("posture", "standing"), ("legs", "one-lifted")]),
    ],
)
def test_distances_rank_states_as_the_oracles_do(oracle, stated):
    """Agents that learn from captions then come closer to what the oracle asks for."""
    from scipy.stats import spearmanr

    states = sample_training_states("humanoid", 1000, seed=5)
    columns = [column("humanoid", *fact) for fact in stated]
    distance = np.linalg.norm(distances("humanoid", states)[:, columns], axis=1)
    assert spearmanr(-distance, ORACLES[oracle].score(states)).statistic > 0.9


@pytest.mark.parametrize(
    ("environment", "state", "value"),
    [
        ("cartpole", [0, 0, 0, 0], "none"),
        ("cartpole", [0, 0, 0.1, 0], "slight-right"),
        ("cartpole", [0, 0, -0.35, 0], "clear-left"),
        ("cartpole", [0, 0, np.pi, 0], "down"),
        ("cartpole", [0, 0, -3 * np.pi, 0], "down"),
        ("mountain-car", [-0.5, 0], "valley"),
        ("mountain-car", [0.5, 0], "summit"),
        ("mountain-car", [-1.2, 0], "left-top"),
    ],
)
def test_facts_of_classic_control(environment, state, value):
    facts = describe_clearly(environment, np.array([state]))[0]
    assert facts[LEADING[environment]] == value
    assert {f: v in PHRASES[environment][f] for f, v in facts.items()} == dict.fromkeys(facts, True)


def test_the_pole_is_farther_the_more_it_leans():
    states = np.zeros((7, 4))
    states[:, 2] = np.radians([0, 3, 6, 12, 40, 90, 180])
    table = distances("cartpole", states)
    assert (np.diff(table[:, column("cartpole", "lean", "none")]) > 0).all()
