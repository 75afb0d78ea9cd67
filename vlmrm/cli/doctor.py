"""``vlmrm doctor``."""

from __future__ import annotations

import typer

from vlmrm.machine.doctor import Verdict, examine


def doctor() -> None:
    """Check the machine and say how to fix what is missing; exit with 1 if runs would fail."""
    checks = examine()
    for check in checks:
        print(check)
    if any(check.verdict is Verdict.broken for check in checks):
        raise typer.Exit(1)
