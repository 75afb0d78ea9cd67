"""Rewards of a task, in the order of the states."""

import numpy as np
import pandas as pd
import pytest

from vlmrm.data.tables import by_scoring, by_state, task_rewards
from vlmrm.errors import UserError


def rewards(values, task="climb", scoring="alpha-0"):
    columns = {"scene": "s", "model": "m", "state": np.arange(len(values)), "task": task}
    return pd.DataFrame({**columns, "scoring": scoring, "reward": values})


def test_rewards_of_another_task_are_left_out():
    table = pd.concat([rewards([1.0, 2.0], task) for task in ("climb", "rest")])
    assert set(task_rewards(table, "climb", 2)["task"]) == {"climb"}
    with pytest.raises(UserError, match=r"no rows of task 'clim'; did you mean 'climb'"):
        task_rewards(table, "clim", 2)


def test_rewards_of_other_states_are_refused():
    with pytest.raises(UserError, match="state 3 is beyond the 2 rows of the states file"):
        task_rewards(rewards(np.ones(4)), "climb", 2)


def test_rewards_are_in_the_order_of_the_states_whatever_that_of_the_rows():
    table = pd.concat([rewards([1, 2, 3], scoring="alpha-1"), rewards([4, 5, 6])])
    found = by_scoring(table.sample(frac=1, random_state=0).sort_values("scoring"), 3)
    assert {name: values.tolist() for name, values in found.items()} == {
        "alpha-0": [4, 5, 6],
        "alpha-1": [1, 2, 3],
    }
    assert list(by_scoring(table, 3)) == ["alpha-1", "alpha-0"], "scorings keep their order"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (rewards([]), "rewards: none of 'climb'; score them first"),
        (rewards([1, 2]), "rewards: 2 of 'climb', not one for each of the 3 states; score all"),
        (rewards([1, 2, 3, 4]), "rewards: 4 of 'climb', not one for each of the 3 states"),
        (rewards([1, np.inf, 3]), "some of 'climb' are not finite; score the states again"),
        (pd.concat([rewards([1, 2]), rewards([3])]), "3 of 'climb', not one for each of the 3"),
    ],
)
def test_rewards_that_are_not_a_number_for_each_state_are_refused(rows, message):
    with pytest.raises(UserError, match=message):
        by_state(rows, 3, "'climb'")
