"""``vlmrm check-claims``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import Output
from vlmrm.page.contents import CLAIM_KINDS


def check_claims(
    tables: Annotated[
        list[Path],
        typer.Argument(
            help=f"Tables of a run (CSV) whose names begin with {', '.join(CLAIM_KINDS)}."
        ),
    ],
    output: Output,
) -> None:
    """Check which claims of the paper and of this project hold in a run, by its tables."""
    from vlmrm.data.tables import write_table
    from vlmrm.page import claims

    write_table(output, claims.check_claims(tables))
