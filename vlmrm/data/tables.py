"""Tables: rewards and measurements.

Commands import this module before they check their input, so pandas is imported by the functions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmrm.data.files import atomic_path, dump_provenance, read_provenance, require_file

if TYPE_CHECKING:
    import pandas as pd


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
            pq.write_table(arrow.replace_schema_metadata(metadata), temporary)
        else:
            table.to_csv(temporary, index=False)


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Reads a Parquet or CSV table."""
    import pandas as pd

    path = Path(path)
    require_file(path)
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


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


def read_tables(paths: Sequence[Path]) -> pd.DataFrame:
    """Reads tables of the same columns as one."""
    import pandas as pd

    return pd.concat([read_table(path) for path in paths], ignore_index=True)
