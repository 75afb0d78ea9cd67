"""Measurements of rewards against the success of agents."""

import numpy as np
import pandas as pd
import pytest

from vlmrm.optimization.prediction import (
    DIAGNOSIS,
    EPIC,
    PREDICTORS,
    correlations,
    diagnosis_predictors,
    epic_predictors,
    pairs,
)

REWARD = {"scene": "textured", "scoring": "alpha-0"}


def measured(task, model, value):
    predictors = {name: value * sign for name, sign in EPIC.items()}
    return {"task": task, **REWARD, "model": model, **predictors}


def best(task, model, n, gold):
    return {"task": task, **REWARD, "model": model, "n": n, "gold": gold}


def diagnosed(task, model, value, goal="kneeling"):
    predictors = {name: value * sign for name, sign in DIAGNOSIS.items()}
    return {"task": task, **REWARD, "model": model, "goal": goal, "verdict": "yes", **predictors}


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
    epic, best_of_n, success = tables
    table = pairs(success, epic_predictors(epic, best_of_n))
    table = table.set_index(["task", "reward_source"])
    assert len(table) == 3
    large = table.loc["kneel", "L"]
    assert (large["epic"], large["auroc"], large["best_of_n"]) == (-2, 2, 16)
    assert large["success_rate"] == pytest.approx(2 / 3)
    assert large["success_fraction"] == pytest.approx(1 / 3)
    assert large["seeds"] == 3


@pytest.mark.parametrize("number", [0, 2])
def test_too_few_pairs_have_no_correlation(tables, number):
    epic, best_of_n, success = tables
    table = pairs(success, epic_predictors(epic[:number], best_of_n))
    assert len(table) == number
    found = correlations(table, bootstrap=20)
    assert set(found["predictor"]) == {*EPIC, "best_of_n"} and (found["pairs"] == number).all()
    assert found[["rho", "rho_low", "rho_high"]].isna().all(axis=None)


def test_a_diagnosis_and_its_verdict_are_predictors_beside_others(tables):
    epic, best_of_n, success = tables
    rows = [diagnosed("kneel", "S", 5, "average"), diagnosed("kneel", "S", 7, "on its knees")]
    rows += [diagnosed("kneel", "L", 6), diagnosed("lotus", "S", 8), diagnosed("lotus", "L", 9)]
    measured = diagnosis_predictors(pd.DataFrame(rows))
    table = pairs(success, epic_predictors(epic, best_of_n), measured)
    small = table.set_index(["task", "reward_source"]).loc["kneel", "S"]
    assert (small["auroc"], small["diagnosis_auroc"], small["diagnosis_level"]) == (1, 5, 5)
    assert set(PREDICTORS) <= set(table)
    alone = correlations(pairs(success, measured), bootstrap=20)
    assert set(alone["predictor"]) == {f"diagnosis_{name}" for name in DIAGNOSIS}


def test_success_is_the_mean_over_seeds_whatever_their_trajectories(tables):
    epic, best_of_n, success = tables
    more = pd.concat([success, *[success[success["seed"] == 0]] * 3])
    few = pairs(success, epic_predictors(epic, best_of_n))
    pd.testing.assert_frame_equal(pairs(more, epic_predictors(epic, best_of_n)), few)


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


@pytest.mark.parametrize(("tasks", "each", "known"), [(3, 4, False), (6, 2, True), (1, 5, False)])
def test_few_tasks_have_no_interval(tasks, each, known):
    """Three tasks are in the right order by chance in one of six cases."""
    reached = np.arange(tasks * each) / 20
    table = pd.DataFrame({"task": np.arange(tasks * each) % tasks, "success_fraction": reached})
    (row,) = correlations(table.assign(auroc=reached), bootstrap=50).to_dict("records")
    assert row["rho"] == pytest.approx(1)
    assert np.isnan([row["rho_low"], row["rho_high"]]).all() != known


def test_the_best_of_many_predictors_is_named_over_36_pairs_and_three_seeds():
    rng = np.random.default_rng(1)
    rewards = [(f"task-{t}", f"model-{m}") for t in range(9) for m in range(4)]
    worth = rng.random(36)
    rows = [diagnosed(*reward, 0.0) for reward in rewards]
    table = pd.DataFrame(rows).assign(**{name: rng.random(36) for name in DIAGNOSIS})
    table["closeness"] = worth + 0.1 * rng.random(36)
    agents = [
        trajectory(*reward, seed, rng.random() < share)
        for reward, share in zip(rewards, worth, strict=True)
        for seed in range(3)
        for _ in range(30)
    ]
    found = correlations(pairs(pd.DataFrame(agents), diagnosis_predictors(table)), bootstrap=200)
    best = found.iloc[0]
    assert best["predictor"] == "diagnosis_closeness"
    assert 0.8 < best["rho_low"] < best["rho"] < best["rho_high"] <= 1
    assert (best["pairs"], best["tasks"]) == (36, 9)
    assert (found["rho_low"].iloc[3:] < 0).all()
