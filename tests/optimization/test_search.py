"""The search that climbs a reward over poses."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from vlmrm.config import PoseStates, TrainingRun
from vlmrm.config.settings import (
    EmbeddingSettings,
    PromptSettings,
    Rendering,
    SearchFigureSettings,
    SearchSettings,
)
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.optimization.search import (
    control_reward,
    measure_search,
    read_searches,
    search_poses,
)
from vlmrm.states import sample_states
from vlmrm.tasks.body import QPOS, BodyQuantities
from vlmrm.tasks.oracles import ORACLES
from vlmrm.tasks.poses import joint_limits

SURVIVORS = 8


def settings(source="oracle-score", task="kneeling", generations=6, population=64, seed=0):
    return SearchSettings(
        run=TrainingRun(task=task, scene="textured-fixed", reward_source=source, seed=seed),
        oracle=task,
        population=population,
        survivors=SURVIVORS,
        generations=generations,
        prompts=PromptSettings(task=task),
        rendering=Rendering(),
        embedding=EmbeddingSettings(),
    )


def searched(source="oracle-score", **options):
    chosen = settings(source, **options)
    reward = control_reward(source, chosen.oracle, chosen.run.seed)
    states = search_poses(chosen, reward)
    return states, measure_search(states, chosen.run, chosen.oracle, SURVIVORS)


@pytest.fixture(scope="module")
def climbed():
    return searched()


def test_a_perfect_reward_leads_to_the_task(climbed):
    _, table = climbed
    assert table["gold"].iloc[0] < 0.8
    assert table["gold"].iloc[-1] == 1
    assert table["score"].iloc[-1] == pytest.approx(table["proxy"].iloc[-1])


def test_the_proxy_never_falls(climbed):
    states, table = climbed
    assert (np.diff(table["proxy"]) >= 0).all()
    assert table["steps"].tolist() == [64, 128, 192, 256, 320, 384]
    best = np.sort(states.columns["reward"])[-SURVIVORS:]
    assert table["proxy"].iloc[-1] == pytest.approx(best.mean())


def test_an_opposite_reward_leads_away_from_it():
    chosen = settings(task="standing")
    states = search_poses(chosen, lambda values: -ORACLES["standing"].score(values))
    table = measure_search(states, chosen.run, "standing", SURVIVORS)
    assert table["gold"].iloc[-1] == 0
    assert table["score"].iloc[-1] < table["score"].iloc[0]


def test_poses_touch_the_floor_within_the_limits_of_their_joints(climbed):
    states, _ = climbed
    children = states.values[states.columns["generation"] > 0]
    lowest = BodyQuantities.of(children).lowest_point
    assert np.quantile(lowest, 0.95) < 0.05 and (lowest > -0.1).all()
    low, high = joint_limits().T
    # Springs and contacts give way a little.
    assert (children[:, 7:QPOS] > low - 0.3).all() and (children[:, 7:QPOS] < high + 0.3).all()


def test_a_seed_gives_the_same_poses_again_and_another_others(climbed):
    states, _ = climbed
    again, _ = searched()
    np.testing.assert_array_equal(states.values, again.values)
    other, _ = searched(seed=1, generations=2)
    assert cdist(other.values[:, :QPOS], states.values[:, :QPOS]).min() > 0.01


def test_no_pose_is_in_a_state_set(climbed):
    """Also not where the seed and the task are the same."""
    states, _ = climbed
    spec = PoseStates(sampler="poses", task="kneeling", size=200, seed=0)
    measured = sample_states(spec)
    assert cdist(states.values[:, :QPOS], measured.values[:, :QPOS]).min() > 0.01


def test_all_rewards_start_from_the_same_poses(climbed):
    states, _ = climbed
    other, _ = searched("flipped-0.1", generations=2)
    np.testing.assert_array_equal(states.values[:64], other.values[:64])


def test_the_share_of_verdicts_is_wrong():
    states, _ = searched("flipped-0.2", task="standing", generations=10, population=200)
    verdicts = states.labels["standing"]
    wrong = states.columns["reward"] != verdicts
    assert wrong.mean() == pytest.approx(0.2, abs=0.04)  # three standard errors
    # Bayes: what is accepted at this prevalence.
    share = verdicts.mean()
    precision = 0.8 * share / (0.8 * share + 0.2 * (1 - share))
    accepted = states.columns["reward"] == 1
    assert verdicts[accepted].mean() == pytest.approx(precision, abs=0.04)


def test_a_constant_reward_goes_nowhere():
    chosen = settings(generations=3)
    states = search_poses(chosen, lambda values: np.zeros(len(values)))
    table = measure_search(states, chosen.run, "kneeling", SURVIVORS)
    assert (table["proxy_std"] == 0).all()
    assert table["gold"].nunique() == 1


def of_figure(*searches):
    return SearchFigureSettings(
        runs=[search.run for search in searches],
        oracles={"kneeling": "kneeling"},
        survivors=SURVIVORS,
        controls=["oracle-score"],
        rendering=Rendering(),
    )


def test_files_belong_to_the_search_that_made_them_in_any_order(tmp_path, climbed):
    states, _ = climbed
    score, flipped = settings(), settings("flipped-0.1")
    other = States("humanoid", states.values + 1, states.columns)
    paths = [tmp_path / "flipped.h5", tmp_path / "score.h5"]
    other.write(paths[0], settings=flipped.model_dump())
    states.write(paths[1], settings=score.model_dump())
    first, second = read_searches(paths, of_figure(score, flipped))
    np.testing.assert_array_equal(first.values, states.values)
    np.testing.assert_array_equal(second.values, other.values)
    message = r"score\.h5: is of oracle-score, alpha-0 for task 'kneeling', seed 0, given twice"
    with pytest.raises(UserError, match=message):
        read_searches([paths[1]] * 2, of_figure(score, flipped))
    with pytest.raises(UserError, match=r"flipped\.h5: .* seed 0, no search of the entry"):
        read_searches(paths, of_figure(score, settings(seed=1)))


def test_files_that_are_no_searches_are_refused(tmp_path, climbed):
    states, _ = climbed
    chosen = of_figure(settings())
    path = tmp_path / "states.h5"
    with pytest.raises(UserError, match="2 files, but the entry has 1 searches"):
        read_searches([path, path], chosen)
    States("humanoid", states.values).write(path)
    with pytest.raises(UserError, match="has no column 'generation'"):
        read_searches([path], chosen)
