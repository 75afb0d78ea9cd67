"""Checks of the tables behind the figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from vlmrm.config import TrainingRun
from vlmrm.config.training import RUN
from vlmrm.data.tables import read_table, require_columns
from vlmrm.errors import UserError


def rescaled(table: pd.DataFrame, column: str, keys: Sequence[str]) -> pd.Series[float]:
    """A column mapped to 0-1 within the rows that share ``keys``; 0 where it is constant there."""
    groups = table.groupby(list(keys))[column]
    low, high = groups.transform("min"), groups.transform("max")
    return (table[column] - low) / (high - low).where(high > low, 1.0)


def read_runs(paths: Sequence[Path]) -> list[tuple[TrainingRun, pd.DataFrame]]:
    """Reads tables that say in their first columns which run they belong to.

    Raises:
        UserError: A table lacks one of these columns, is empty, or has several runs.
    """
    runs = []
    for path in paths:
        table = read_table(path)
        require_columns(table, RUN, path)
        if table.empty:
            raise UserError(f"{path}: is empty; train for more steps")
        if (count := len(table[RUN].drop_duplicates())) > 1:
            raise UserError(f"{path}: contains {count} runs; give a file for each")
        first = table.iloc[0]
        runs.append((TrainingRun(**{key: first[key] for key in RUN}), table))
    return runs
