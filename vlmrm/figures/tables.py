"""The tables behind the figures: read for each run, checked, and rearranged for drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vlmrm.config import TrainingRun
from vlmrm.config.training import RUN
from vlmrm.data.tables import read_table, require_columns
from vlmrm.errors import UserError

RunTable = tuple[TrainingRun, pd.DataFrame]
"""A training run and its learning curve, or its evaluation with one row per trajectory."""

EPIC_COLUMNS = ("task", "states", "scene", "model", "source", "parameters", "scoring")
"""Columns of an EPIC table besides the measures and their ``_low`` and ``_high``."""


def rescaled(table: pd.DataFrame, column: str, keys: Sequence[str]) -> pd.Series[float]:
    """A column mapped to 0-1 within the rows that share ``keys``; 0 where it is constant there."""
    groups = table.groupby(list(keys))[column]
    low, high = groups.transform("min"), groups.transform("max")
    return (table[column] - low) / (high - low).where(high > low, 1.0)


def read_runs(paths: Sequence[Path]) -> list[RunTable]:
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


def with_scoring(table: pd.DataFrame, scoring: str) -> pd.DataFrame:
    """The rows of EPIC tables of one scoring.

    Raises:
        UserError: A column or the scoring is missing.
    """
    require_columns(table, EPIC_COLUMNS, "EPIC table")
    chosen = table[table["scoring"] == scoring]
    if chosen.empty:
        raise UserError(f"EPIC table: no rows of {scoring}; measure it first")
    return chosen


def long_form(table: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """An EPIC table with a row per measure, in columns measure, value, low and high.

    Raises:
        UserError: A column is missing.
    """
    names = {measure: (measure, f"{measure}_low", f"{measure}_high") for measure in measures}
    needed = [name for triple in names.values() for name in triple]
    require_columns(table, [*EPIC_COLUMNS, *needed], "EPIC table")
    parts = [
        table.assign(measure=measure, value=table[value], low=table[low], high=table[high])
        for measure, (value, low, high) in names.items()
    ]
    return pd.concat(parts, ignore_index=True)


def labeled_by(table: pd.DataFrame) -> pd.Series[str]:
    """What tells rows of human labels from those of the oracle's, after the name of a task or set.

    Tables of earlier versions have no column labels.
    """
    human = table["labels"] == "human" if "labels" in table else np.zeros(len(table), bool)
    return pd.Series(np.where(human, " · human labels", ""), table.index, dtype=str)
