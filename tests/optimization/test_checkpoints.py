"""Proxy and gold of checkpoints."""

import numpy as np
import pandas as pd
import pytest

from vlmrm.config import TrainingRun
from vlmrm.config.settings import OptimizationSettings
from vlmrm.config.training import RUN
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.optimization.checkpoints import measure_checkpoints, outcomes
from vlmrm.optimization.divergence import divergence

RUN_OF = TrainingRun(task="kneel", scene="textured", reward_source="sim-S", seed=3)
SETTINGS = OptimizationSettings(run=RUN_OF, oracle="kneeling")


@pytest.fixture
def states():
    """Four states of the checkpoint at 900 steps, all of them right, and four at 1,000 steps."""
    origin = np.array(["checkpoint 1000", "checkpoint 900"] * 4)
    right = np.array([0, 1, 0, 1, 1, 1, 1, 1], dtype=bool)
    columns = {"origin": origin, "trajectory": np.arange(8)}
    return States("humanoid", np.zeros((8, 47)), columns, {"kneeling": right})


def rewards(values, scoring="alpha-0"):
    table = pd.DataFrame({"state": np.arange(8), "task": "kneel", "scoring": scoring})
    return table.assign(reward=values)


def test_each_checkpoint_has_proxy_gold_and_on_policy_quality(states):
    # At 1,000 steps, states 0 and 2 are wrong; the reward takes state 2 for the best.
    values = [0.1, 0, 0.9, 0, 0.3, 0, 0.5, 0]
    shuffled = pd.concat([rewards(values), rewards(np.ones(8), "alpha-1")]).sample(
        frac=1, random_state=0
    )
    table = measure_checkpoints(states, shuffled, SETTINGS)
    assert list(table["steps"]) == [900, 1000]
    early, late = (row for _, row in table.iterrows())
    assert dict(late[RUN]) == RUN_OF.model_dump()
    assert (late["n"], late["proxy"], late["gold"]) == (4, pytest.approx(0.45), 0.5)
    assert late["auroc"] == 0.5
    # Above the median of the right states, 0.3, are 0.3, 0.5, and the wrong 0.9.
    assert late["fooled"] == pytest.approx(1 / 3)
    assert early["gold"] == 1
    # Trajectories 0 and 4, and 2 and 6.
    assert (late["gold_even"], late["gold_odd"]) == (0.5, 0.5)
    assert np.isnan(early[["auroc", "spearman", "fooled"]].astype(float)).all()


def test_states_are_compared_with_those_of_the_first_checkpoint(states):
    rng = np.random.default_rng(0)
    states.values = rng.normal(size=(8, 47))
    states.values[::2] += 3  # those at 1,000 steps
    table = measure_checkpoints(states, rewards(np.ones(8)), SETTINGS)
    assert table["divergence"][0] == 0
    assert table["divergence"][1] == divergence(states.values[1::2], states.values[::2]) > 0.5


def test_the_verdict_of_an_environment_of_ones_own_is_no_part_of_the_divergence(states):
    states.environment = "pendulum"
    states.labels = {"success": states.labels["kneeling"]}
    states.values = np.column_stack([np.arange(8) // 2, states.labels["success"]]).astype(float)
    own = OptimizationSettings(run=RUN_OF, oracle="success")
    table = measure_checkpoints(states, rewards(np.ones(8)), own)
    assert table["divergence"][1] == divergence(states.values[1::2, :1], states.values[::2, :1])
    states.values = states.values[:, 1:]
    unknown = measure_checkpoints(states, rewards(np.ones(8)), own)
    assert unknown["divergence"].isna().all(), "nobody knows where its agents went"


def test_states_that_are_no_rollouts_are_refused(states):
    del states.columns["origin"]
    with pytest.raises(UserError, match="no checkpoints; use a set with `sampler: rollouts`"):
        measure_checkpoints(states, rewards(np.ones(8)), SETTINGS)


def test_rewards_of_another_scoring_are_refused(states):
    with pytest.raises(UserError, match="none of task 'kneel' by alpha-0"):
        measure_checkpoints(states, rewards(np.ones(8), "alpha-1"), SETTINGS)


def checkpoints(gold, proxy, seed=0, even=None, odd=None):
    steps = 1000 * (1 + np.arange(len(gold)))
    run = RUN_OF.model_copy(update={"seed": seed}).model_dump()
    halves = {"gold_even": gold if even is None else even, "gold_odd": gold if odd is None else odd}
    return pd.DataFrame({**run, "steps": steps, "gold": gold, "proxy": proxy, **halves})


def test_three_outcomes_are_told_apart():
    rising = np.arange(4) / 10
    table = pd.concat(
        [
            checkpoints([0, 0.1, 0.05, 0.15], rising, seed=0),
            checkpoints([0, 0.3, 0.9, 0.8], rising, seed=1),
            checkpoints([0, 0.8, 0.3, 0.1], rising, seed=2),
        ]
    ).sample(frac=1, random_state=0)
    result = outcomes(table, {"kneel": 0.8}).set_index("seed").sort_index()
    assert list(result["outcome"]) == ["never rises", "rises", "rises and falls"]
    fallen = result.loc[2]
    assert (fallen["peak"], fallen["end"], fallen["drop"]) == (0.8, 0.1, pytest.approx(0.7))
    # The last checkpoint has the highest reward.
    assert (fallen["chosen"], fallen["regret"]) == (0.1, pytest.approx(0.7))
    assert fallen["peak_normalized"] == 1
    assert fallen["rho"] == pytest.approx(0.2)
    assert result.loc[1, "rho"] == pytest.approx(0.8)


def test_where_nothing_changes_chance_makes_no_fall():
    rng = np.random.default_rng(0)
    tables = []
    for seed in range(200):
        even, odd = rng.binomial(10, 0.5, (2, 10)) / 10  # ten trajectories of each half
        tables.append(checkpoints((even + odd) / 2, np.arange(10), seed, even, odd))
    result = outcomes(pd.concat(tables), {})
    assert abs(result["drop"].mean()) < 0.04
    assert abs(result["regret"].mean()) < 0.04
    # By the highest of ten checkpoints, it would be more than 0.15.
    highest = np.mean([table["gold"].max() - table["gold"].iloc[-1] for table in tables])
    assert highest > 0.15


def test_a_single_trajectory_has_the_highest_gold_as_peak():
    none = [np.nan] * 3
    result = outcomes(checkpoints([0, 1, 0.5], [1, 2, 3], even=[0, 1, 0.5], odd=none), {}).iloc[0]
    assert (result["peak"], result["drop"]) == (1, 0.5)


def test_without_a_reference_or_variation_there_is_no_number():
    result = outcomes(checkpoints([0, 0, 0], [1, 2, 3]), {}).iloc[0]
    assert np.isnan(result["peak_normalized"])
    assert np.isnan(result["rho"])
