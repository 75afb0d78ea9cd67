"""Measurements of rewards against the success of agents."""

import numpy as np
import pandas as pd
import pytest

from vlmrm.errors import UserError
from vlmrm.optimization.prediction import PREDICTORS, correlations, pairs

REWARD = {"scene": "textured", "scoring": "alpha-0"}


def measured(task, model, value):
    predictors = {name: value * sign for name, sign in PREDICTORS.items() if name != "best_of_n"}
    return {"task": task, **REWARD, "model": model, **predictors}


def best(task, model, n, gold):
    return {"task": task, **REWARD, "model": model, "n": n, "gold": gold}


def trajectory(task, model, seed, success):
    run = {"task": task, **REWARD, "reward_source": model, "seed": seed}
    return {**run, "success": success, "success_fraction": success / 2}


@pytest.fixture
def tables():
    rewards = [("kneel", "S", 1), ("kneel", "L", 2), ("lotus", "S", 3)]
    return (
        pd.DataFrame([measured(*reward) for reward in rewards] + [measured("lotus", "XS", 9)]),
        pd.DataFrame([best(t, m, n, v * n) for t, m, v in rewards for n in (1, 8)]),
        pd.DataFrame([trajectory(t, m, s, v > s) for t, m, v in rewards for s in (0, 1, 2)]),
    )


def test_a_pair_is_a_reward_that_was_measured_and_trained_on(tables):
    table = pairs(*tables).set_index(["task", "reward_source"])
    assert len(table) == 3
    large = table.loc["kneel", "L"]
    assert (large["epic"], large["auroc"], large["best_of_n"]) == (-2, 2, 16)
    assert large["success_rate"] == pytest.approx(2 / 3)
    assert large["success_fraction"] == pytest.approx(1 / 3)
    assert large["seeds"] == 3


def test_too_few_pairs_are_refused(tables):
    epic, *others = tables
    with pytest.raises(UserError, match="2 rewards were measured and trained on"):
        pairs(epic[:2], *others)


def test_a_perfect_predictor_has_correlation_one_whatever_its_sign():
    rng = np.random.default_rng(0)
    reached = rng.random(30)
    columns = {name: sign * np.exp(reached) for name, sign in PREDICTORS.items()}
    columns["spearman"] = rng.random(30)
    columns["fooled"] = np.ones(30)
    table = pd.DataFrame({"task": np.arange(30) % 6, "success_fraction": reached, **columns})
    found = correlations(table, bootstrap=100).set_index("predictor")
    perfect = found.loc[["epic", "epic_balanced", "auroc", "best_of_n"]]
    np.testing.assert_allclose(perfect[["rho", "rho_low", "rho_high"]], 1)
    assert abs(found.loc["spearman", "rho"]) < 0.5
    assert found.loc["spearman", "rho_low"] < found.loc["spearman", "rho_high"]
    assert np.isnan(found.loc["fooled", "rho"])
    assert list(found.index)[-2:] == ["spearman", "fooled"]
    assert (found["pairs"] == 30).all()
