"""Tables as the page shows them: each value beside its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from vlmrm.config import RANDOM_POLICY, REFERENCES

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 400
"""Rows of a table that is shown; a longer one is a file to download."""

NAMES = {"epic": "EPIC", "auroc": "AUROC", "reward_source": "reward"}
"""Column names that are not their own label."""


class Cell(NamedTuple):
    """A cell: its text, and what the column is sorted by."""

    text: str
    value: float | str


class Row(NamedTuple):
    """A row, and the task, model, and scoring that it belongs to; any where empty."""

    cells: list[Cell]
    task: str
    model: str
    scoring: str


@dataclass(frozen=True)
class ShownTable:
    """A table of the page.

    Attributes:
        columns: Labels of the columns.
        rows: None where the table is too long to be shown.
        constants: Columns with one value and one interval, which are named once.
        length: Number of rows.
    """

    columns: list[str]
    rows: list[Row] | None
    constants: dict[str, str]
    length: int


def shown_table(table: pd.DataFrame) -> ShownTable:
    """Prepares a table.

    A column ``X`` takes its interval from ``X_low`` and ``X_high`` (``success_rate`` from ``low``
    and ``high``). Empty columns are left out.
    """
    table = table.rename(columns={"low": "success_rate_low", "high": "success_rate_high"})
    bounds = {f"{name}_{end}" for name in table for end in ("low", "high")}
    texts = map(str, table)
    names = [name for name in texts if name not in bounds and table[name].notna().any()]
    # The only row of a table is no list of constants.
    constant = [name for name in names if len(table) > 1 and _is_constant(table, name)]
    varying = [name for name in names if name not in constant]
    records = table.head(MAX_ROWS).to_dict("records")
    constants = {_label(name): _cell(records[0], name).text for name in constant}
    rows = None
    if len(table) <= MAX_ROWS:
        rows = [
            Row([_cell(record, name) for name in varying], *_about(record)) for record in records
        ]
    return ShownTable([_label(name) for name in varying], rows, constants, len(table))


def number(value: Any) -> str:
    """A value for people: three decimals, or three digits where these are all zeros."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or value != value:
        return "-"
    if isinstance(value, float):
        if value.is_integer() or abs(value) >= 1000:
            return f"{value:,.0f}"
        return f"{value:.3f}" if abs(value) >= 0.0005 else f"{value:.3g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _is_constant(table: pd.DataFrame, name: str) -> bool:
    """Whether all rows have the same value, and the same interval where there is one."""
    columns = [column for column in (name, f"{name}_low", f"{name}_high") if column in table]
    return len(table[columns].drop_duplicates()) == 1


def _label(name: str) -> str:
    words = name.split("_")
    return NAMES.get(name) or " ".join(NAMES.get(word, word) for word in words)


def _cell(record: Mapping[Any, Any], name: str) -> Cell:
    value = record[name]
    low, high = record.get(f"{name}_low"), record.get(f"{name}_high")
    text = number(value)
    if low is not None and high is not None and value == value:
        text += f" ({number(low)} to {number(high)})"
    if isinstance(value, bool | int | float) and value == value:
        return Cell(text, float(value))
    return Cell(text, "" if value is None or value != value else str(value))


def _about(record: Mapping[Any, Any]) -> tuple[str, str, str]:
    source = str(record.get("model", record.get("reward_source", "")))
    # References and the random policy are what each model is compared with.
    is_model = "model" in record or source not in (*REFERENCES, RANDOM_POLICY)
    if not is_model:
        return str(record.get("task", "")), "", ""
    return str(record.get("task", "")), source, str(record.get("scoring", ""))
