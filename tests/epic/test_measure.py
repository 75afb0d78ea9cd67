import numpy as np
import pandas as pd
import pytest

from vlmrm.config import UniformStates
from vlmrm.config.settings import EpicSettings
from vlmrm.epic.measure import measure_rewards, with_origin
from vlmrm.errors import UserError
from vlmrm.states.uniform import sample_uniform

BALANCE = EpicSettings(
    task="balance",
    states="uniform",
    sampler="uniform",
    environment="cartpole",
    oracle="cartpole",
    discount=0.99,
    bootstrap=40,
    seed=0,
)


@pytest.fixture(scope="module")
def states():
    return sample_uniform(UniformStates(sampler="uniform", environment="cartpole", size=400))


def rewards_of(values, task="balance"):
    columns = {"scene": "gymnasium", "model": "m", "state": np.arange(len(values)), "task": task}
    return pd.DataFrame({**columns, "scoring": "alpha-0", "reward": values})


def test_the_oracle_itself_is_the_perfect_reward(states):
    success = states.labels["cartpole"].astype(float)
    row = measure_rewards(states, rewards_of(success), BALANCE).iloc[0]
    assert (row["labels"], row["scene"], row["model"]) == ("oracle", "gymnasium", "m")
    for name in ("epic", "epic_balanced", "epic_ground_truth"):
        assert row[name] == pytest.approx(0, abs=1e-6)
    assert row["auroc"] == 1


def test_a_reward_against_the_goal_has_distance_one(states):
    failure = 1 - states.labels["cartpole"].astype(float)
    row = measure_rewards(states, rewards_of(failure), BALANCE).iloc[0]
    assert row["epic_ground_truth"] == pytest.approx(1, abs=1e-6)


def test_human_labels_replace_the_oracle(states):
    rows = np.arange(0, 400, 4)
    left = states.values[rows, 0] < 0
    table = measure_rewards(
        states, rewards_of(-states.values[:, 0]), BALANCE, human_labels=(rows, left)
    )
    assert table["labels"].tolist() == ["human"]
    assert table["n"].tolist() == [100]
    assert table["auroc"].tolist() == [1]


def test_where_no_state_succeeds_there_is_nothing_to_measure(states, caplog):
    rows = np.flatnonzero(~states.labels["cartpole"])
    refused = rows, np.zeros(len(rows), dtype=bool)
    table = measure_rewards(states, rewards_of(-states.values[:, 0]), BALANCE, refused)
    assert "no state fulfills it; nothing to measure" in caplog.text
    assert table["p"].tolist() == [0]
    assert table["n"].tolist() == [len(rows)]
    assert np.isfinite(table["epic_ground_truth"]).all()  # which needs no labels
    assert table[["epic", "epic_low", "auroc", "fooled_high"]].isna().all(axis=None)


def test_the_columns_of_a_table_are_in_the_order_of_its_readers(states):
    table = measure_rewards(states, rewards_of(-states.values[:, 0]), BALANCE)
    model = {"source": "simulator", "parameters": {"image": 9, "text": 4}}
    found = with_origin(table, BALANCE, model, {"precision_errors": {"alpha-0": 0.1}})
    measures = ("epic", "epic_balanced", "auroc", "spearman", "fooled", "epic_ground_truth")
    assert list(found) == [
        *("task", "states", "sampler", "labels", "scene", "model", "source", "parameters"),
        *("text_parameters", "license", "precision", "precision_error", "scoring", "n", "p"),
        *(f"{measure}{end}" for measure in measures for end in ("", "_low", "_high")),
    ]
    row = found.iloc[0]
    known = row[["task", "source", "parameters", "text_parameters", "precision_error"]]
    assert known.tolist() == ["balance", "simulator", 9, 4, 0.1]
    assert row["license"] is None


def test_a_model_without_provenance_is_of_unknown_source_and_size(states):
    table = measure_rewards(states, rewards_of(-states.values[:, 0]), BALANCE)
    row = with_origin(table, BALANCE, {}, {}).iloc[0]
    assert (row["source"], row["parameters"]) == ("unknown", None)
    assert np.isnan(row["precision_error"])


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        (rewards_of(np.arange(3.0)), "3 of task 'balance' by alpha-0, not one for each of the 400"),
        (rewards_of(np.arange(400.0), "balanse"), "rewards: no rows of task 'balance'; did you me"),
        (rewards_of(np.ones(400)), "epic of task balance: alpha-0: the reward is constant"),
    ],
)
def test_unusable_rewards_are_refused(states, rewards, message):
    with pytest.raises(UserError, match=message):
        measure_rewards(states, rewards, BALANCE)
