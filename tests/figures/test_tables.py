import pandas as pd
import pytest

from vlmrm.errors import UserError
from vlmrm.figures.tables import read_runs, task_rewards

from .conftest import rewards_of


def test_rewards_of_another_task_are_left_out(mountain_car):
    rewards = pd.concat(
        [rewards_of(mountain_car, lambda a: 1.0, task) for task in ("climb", "rest")]
    )
    assert set(task_rewards(mountain_car, rewards, "climb")["task"]) == {"climb"}
    with pytest.raises(UserError, match=r"'clim'; did you mean 'climb'"):
        task_rewards(mountain_car, rewards, "clim")


def test_rewards_of_other_states_are_refused(mountain_car, cartpole):
    rewards = rewards_of(cartpole, lambda a: 1.0, "balance")
    with pytest.raises(UserError, match="state 50 is beyond the 19 rows"):
        task_rewards(mountain_car, rewards, "balance")


def test_a_table_is_of_one_run(run, tmp_path):
    tables = [pd.DataFrame([run(seed=seed).model_dump()] * 2) for seed in range(3)]
    paths = [tmp_path / f"{seed}.csv" for seed in range(3)]
    for path, table in zip(paths, tables, strict=True):
        table.to_csv(path, index=False)
    assert [read.seed for read, _ in read_runs(paths)] == [0, 1, 2]
    pd.concat(tables).to_csv(tmp_path / "all.csv", index=False)
    with pytest.raises(UserError, match=r"all\.csv: contains 3 runs; give a file for each"):
        read_runs([tmp_path / "all.csv"])
