"""What commands print."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

WIDTH = 200
"""Characters per line where there is no terminal, as in a file."""


def print_table(table: Table) -> None:
    """Prints a table, as wide as the terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(table)
