import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmrm.envs import make_env
from vlmrm.states.poses import placed
from vlmrm.tasks.body import BodyQuantities
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import (
    between,
    combinations,
    mirrored,
    perturbed,
    pose_library,
    pose_state,
    settled,
    turned,
)

TASKS = [name for name, oracle in ORACLES.items() if oracle.environment == "humanoid"]


def states_of(task, role):
    return np.stack([p.state for p in pose_library().values() if task in getattr(p, role)])


@pytest.fixture(scope="module")
def varied():
    """Perturbed states of every pose, some of them close to the boundary of each oracle."""
    poses = np.stack([pose.state for pose in pose_library().values()])
    rng = np.random.default_rng(0)
    return placed(perturbed(poses.repeat(3, axis=0), rng), rng)


def verdicts(states):
    return np.stack([ORACLES[task](states) for task in TASKS])


@pytest.mark.parametrize("task", TASKS)
def test_accepts_its_poses_and_rejects_its_hard_negatives(task):
    assert ORACLES[task](states_of(task, "tasks")).all()
    assert not ORACLES[task](states_of(task, "near")).any()


@pytest.mark.parametrize("task", TASKS)
def test_small_perturbations_keep_the_verdict(task):
    rng = np.random.default_rng(1)
    positives, negatives = (
        perturbed(states_of(task, role).repeat(25, axis=0), rng, noise=0.5)
        for role in ("tasks", "near")
    )
    assert ORACLES[task](positives).mean() >= 0.97
    assert ORACLES[task](negatives).mean() <= 0.03


def test_verdicts_do_not_depend_on_left_and_right(varied):
    np.testing.assert_array_equal(verdicts(varied), verdicts(mirrored(varied)))


@settings(max_examples=20)
@given(yaw=st.floats(-3.2, 3.2), x=st.floats(-5, 5), y=st.floats(-5, 5))
def test_verdicts_do_not_depend_on_place_and_direction(varied, yaw, x, y):
    moved = turned(varied, yaw)
    moved[:, 0] += x
    moved[:, 1] += y
    np.testing.assert_array_equal(verdicts(varied), verdicts(moved))


@pytest.mark.parametrize("task", TASKS)
def test_no_pose_succeeds_in_mid_air_or_sunk_into_the_floor(task):
    for lift in (0.1, -0.1):
        states = states_of(task, "tasks").copy()
        states[:, 2] += lift
        assert not ORACLES[task](states).any()


@pytest.mark.parametrize("task", TASKS)
def test_no_pose_succeeds_while_it_falls(task):
    states = states_of(task, "tasks").copy()
    states[:, 24:27] = [1.5, 0, -1.0]
    assert not ORACLES[task](states).any()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("axis", [1, 2], ids=["on its side", "on its front or back"])
def test_no_pose_succeeds_lying(task, axis):
    """A rotation by a right angle about a horizontal axis, back on the floor."""
    from vlmrm.tasks.poses import on_floor, tilted

    poses = states_of(task, "tasks")
    for angle in (np.pi / 2, -np.pi / 2):
        lean = np.zeros((2, len(poses)))
        lean[axis - 1] = angle
        assert not ORACLES[task](on_floor(tilted(poses, *lean))).any()


def test_arms_through_the_body_are_not_crossed():
    names = [name for name, pose in pose_library().items() if "arms-crossed" in pose.tasks]
    states = np.stack([pose_library()[name].state for name in names])
    # Both arms with the same angles: the forearms meet.
    states[:, 21:24] = states[:, 18:21] * [-1, -1, 1]
    assert not ORACLES["arms-crossed"](states).any()


@pytest.mark.parametrize("task", TASKS)
def test_poses_fulfill_another_task_only_where_tasks_overlap(task):
    """Tasks in which the robot stands overlap with each other; the others do not."""
    standing = {"standing", "arms-raised", "hands-on-hips", "arms-crossed", "one-leg"}
    allowed = standing if task in standing else {task}
    states = states_of(task, "tasks")
    others = {other for other in TASKS if ORACLES[other](states).any()}
    assert others <= allowed


@pytest.mark.parametrize("policy", ["random", "zero"])
def test_random_and_zero_policies_fail(policy):
    env = make_env("humanoid", episode_steps=100)
    env.action_space.seed(0)
    for seed in range(10):
        env.reset(seed=seed)
        states = []
        for _ in range(100):
            env.step(env.action_space.sample() if policy == "random" else np.zeros(17))
            states.append(env.unwrapped.state_vector())
        for task in TASKS:
            assert not ORACLES[task].trajectory_success(ORACLES[task](np.array(states)))
    env.close()


@pytest.mark.parametrize("task", TASKS)
def test_scores_are_one_exactly_where_the_task_is_fulfilled(task, varied):
    oracle = ORACLES[task]
    verdict, score = oracle(varied), oracle.score(varied)
    assert verdict.any()
    assert (score[verdict] == 1).all()
    assert ((score[~verdict] > 0) & (score[~verdict] < 1)).all()


@pytest.mark.parametrize("task", TASKS)
def test_scores_rise_on_the_way_to_a_pose_of_the_task(task):
    """From a fall on the back; the way is not monotonic, as limbs pass through the floor."""
    fallen = combinations()["lying-back, hanging"]
    for pose in states_of(task, "tasks"):
        way = between(fallen[None], pose[None], np.linspace(0, 1, 11))
        score = ORACLES[task].score(way)
        assert score[-1] == 1
        assert np.corrcoef(np.arange(len(score)), score)[0, 1] > 0.5


def test_cartpole_is_upright_within_twelve_degrees_and_on_its_track():
    theta = np.radians([0, 11.9, -11.9, 12.1, 180, 0])
    x = np.array([0, 2.3, -2.3, 0, 0, 2.5])
    states = np.stack([x, 0 * x, theta, 0 * x], axis=1)
    assert ORACLES["cartpole"](states).tolist() == [True, True, True, False, False, False]


def test_mountain_car_must_reach_the_flag_once():
    oracle = ORACLES["mountain-car"]
    assert oracle(np.array([[-1.2, 0], [0.44, 0], [0.45, 0], [0.6, 0]])).tolist() == [
        False,
        False,
        True,
        True,
    ]
    assert oracle.trajectory_success(np.array([False, False, True]))
    assert not oracle.trajectory_success(np.array([False, False]))


def test_a_trajectory_succeeds_with_half_of_its_timesteps():
    oracle = ORACLES["kneeling"]
    assert oracle.trajectory_success(np.array([True, False]))
    assert not oracle.trajectory_success(np.array([True, False, False]))
    assert not oracle.trajectory_success(np.array([], dtype=bool))


def test_kneeling_is_on_both_knees_wherever_the_feet_are():
    def judge(**joints):
        states = settled(pose_state({"hip_y": -12, "knee": -106, **joints})[None])
        _, left = BodyQuantities.of(states).shin_directions[0, :, 0]
        return left, ORACLES["kneeling"](states)[0]

    left, fulfilled = judge(left_hip_z=-60)
    assert left > -0.7  # more than 45 degrees to the side
    assert fulfilled
    assert not judge(left_knee=-60)[1]
