import pandas as pd
import pytest

from vlmrm.errors import UserError
from vlmrm.figures.tables import read_runs


def test_a_table_is_of_one_run(run, tmp_path):
    tables = [pd.DataFrame([run(seed=seed).model_dump()] * 2) for seed in range(3)]
    paths = [tmp_path / f"{seed}.csv" for seed in range(3)]
    for path, table in zip(paths, tables, strict=True):
        table.to_csv(path, index=False)
    assert [read.seed for read, _ in read_runs(paths)] == [0, 1, 2]
    pd.concat(tables).to_csv(tmp_path / "all.csv", index=False)
    with pytest.raises(UserError, match=r"all\.csv: contains 3 runs; give a file for each"):
        read_runs([tmp_path / "all.csv"])
