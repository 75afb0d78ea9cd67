"""Tables: rewards and measurements.

Commands import this module before they check their input, so pandas is imported by the functions.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmrm.data.files import (
    atomic_path,
    dump_provenance,
    read_provenance,
    reading,
    require,
    require_file,
)
from vlmrm.errors import UserError, suggest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


NAMES = (
    *("task", "states", "sampler", "labels", "scene", "model", "source", "license", "precision"),
    *("reference", "goal", "reward_source", "scoring", "first", "second"),
)
"""Columns of texts."""

REWARDS = ("scene", "model", "state", "task", "scoring", "reward")
"""Columns of rewards."""


def write_table(path: str | os.PathLike[str], table: pd.DataFrame, **context: Any) -> None:
    """Writes a table as Parquet (with provenance) or as CSV, by the suffix of ``path``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with atomic_path(path) as temporary:
        if temporary.suffix == ".parquet":
            arrow = pa.Table.from_pandas(table, preserve_index=False)
            metadata = {
                **(arrow.schema.metadata or {}),
                b"provenance": dump_provenance(context).encode(),
            }
            checked = arrow.replace_schema_metadata(metadata)
            pq.write_table(checked, temporary, write_page_checksum=True)
        else:
            table.to_csv(temporary, index=False)


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Reads a Parquet or CSV table.

    Names are texts, also where they look like numbers or like missing values.

    Raises:
        UserError: The file is missing or damaged.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    path = Path(path)
    require_file(path)
    with reading(path):
        if path.suffix == ".parquet":
            return pq.read_table(path, page_checksum_verification=True).to_pandas()
        return pd.read_csv(
            path, dtype=dict.fromkeys(NAMES, str), keep_default_na=False, na_values=[""]
        )


def require_columns(
    columns: Iterable[Hashable], needed: Iterable[str], source: str | os.PathLike[str]
) -> None:
    """Checks that a table, or a file of states, has the columns that are needed.

    Args:
        columns: Those that it has; a table will do.
        needed: Those that are needed.
        source: Its file, or what it is, for the error.

    Raises:
        UserError: A column is missing.
    """
    known = [str(column) for column in columns]
    for column in needed:
        if column not in known:
            raise UserError(f"{source}: has no column '{column}'{suggest(column, known)}")


def read_rewards(path: str | os.PathLike[str], states: int) -> pd.DataFrame:
    """Reads the rewards of a state set (Parquet).

    Args:
        path: The file.
        states: Number of states of the set.

    Returns:
        Columns scene, model, state, task, scoring, reward, and goal if each sentence has its
        rewards: every state once for each task, scoring, and goal.

    Raises:
        UserError: The file is missing or damaged, of another set, or its rewards are not finite.
    """
    import numpy as np

    table = read_table(path)
    require_columns(table, REWARDS, path)
    with reading(path):
        finite = bool(np.isfinite(table["reward"].to_numpy(np.float64)).all())
        state = table["state"].to_numpy(np.int64)
    require(path, finite, "contains rewards that are not finite")
    # A table of several sentences has the one of each row.
    keys = [key for key in ("task", "scoring", "goal") if key in table]
    for (task, scoring, *_), rows in table.assign(state=state).groupby(keys):
        whole = np.array_equal(np.sort(rows["state"]), np.arange(states))
        problem = f"task '{task}' by {scoring}: {len(rows)} rewards, not one for each of the "
        require(path, whole, f"{problem}{states} states")
    return table


def read_reward_files(paths: Sequence[Path], states: int) -> pd.DataFrame:
    """Reads the rewards of one state set, each file by `read_rewards`, as one table."""
    import pandas as pd

    return pd.concat([read_rewards(path, states) for path in paths], ignore_index=True)


def task_rewards(rewards: pd.DataFrame, task: str, states: int) -> pd.DataFrame:
    """Returns the rows of one task and checks that they belong to so many states.

    Raises:
        UserError: A column or the task is missing, or the rewards belong to other states.
    """
    require_columns(rewards, REWARDS, "rewards")
    # Concatenated files repeat their index.
    chosen = rewards[rewards["task"] == task].reset_index(drop=True)
    if chosen.empty:
        known = suggest(task, sorted(rewards["task"].unique()))
        raise UserError(f"rewards: no rows of task '{task}'{known}")
    if chosen["state"].max() >= states:
        raise UserError(
            f"rewards: state {chosen['state'].max()} is beyond the {states} rows of the "
            "states file; give the states that were scored"
        )
    return chosen


def by_state(rows: pd.DataFrame, states: int, name: str) -> NDArray[np.floating[Any]]:
    """The rewards ``[N]`` of rows in any order, in the order of their states.

    Args:
        rows: Columns state and reward.
        states: Number of states N.
        name: What the rewards are of, for the error.

    Raises:
        UserError: They are not one for each state, or not finite.
    """
    import numpy as np

    if rows.empty:
        raise UserError(f"rewards: none of {name}; score them first")
    rows = rows.sort_values("state")
    if not np.array_equal(rows["state"], np.arange(states)):
        problem = f"{len(rows)} of {name}, not one for each of the {states} states"
        raise UserError(f"rewards: {problem}; score all of these states")
    rewards: NDArray[np.floating[Any]] = rows["reward"].to_numpy()
    if not np.isfinite(rewards).all():
        raise UserError(f"rewards: some of {name} are not finite; score the states again")
    return rewards


def by_scoring(rows: pd.DataFrame, states: int) -> dict[str, NDArray[np.floating[Any]]]:
    """`by_state` of each scoring, in the order of the table, of one task, scene, and model."""
    return {
        str(scoring): by_state(group, states, f"task '{group['task'].iloc[0]}' by {scoring}")
        for scoring, group in rows.groupby("scoring", sort=False)
    }


def read_licenses(paths: Sequence[Path]) -> dict[str, str]:
    """Licenses of the published models that rewards (Parquet) are of."""
    origins = [read_provenance(path) for path in paths]
    return {o["model"]: o["license"] for o in origins if o.get("license") is not None}


def licenses_of(table: pd.DataFrame) -> dict[str, str]:
    """Licenses of the published models in an EPIC table; old tables do not name them."""
    if "license" not in table:
        return {}
    known = table.dropna(subset="license")
    return dict(zip(known["model"], known["license"], strict=True))


def table_sha256(table: pd.DataFrame) -> str:
    """SHA-256 checksum of a table's columns and rows, in hexadecimal, whatever its file."""
    import pandas as pd

    digest = hashlib.sha256(json.dumps([*map(str, table.columns)]).encode())
    digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def read_tables(paths: Sequence[Path], needed: Sequence[str] = ()) -> pd.DataFrame:
    """Reads tables of the same columns as one.

    Raises:
        UserError: A file is missing or damaged, or lacks one of the columns ``needed``.
    """
    import pandas as pd

    tables = [read_table(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        require_columns(table, needed, path)
    return pd.concat(tables, ignore_index=True)
