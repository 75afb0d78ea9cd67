"""``vlmrm doctor``: checks the machine."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Check the machine and say how to fix what is missing; status 1 if runs would fail."""
    from vlmrm.machine.doctor import Verdict, examine

    checks = examine()
    for check in checks:
        print(check)
    if any(check.verdict is Verdict.broken for check in checks):
        raise typer.Exit(1)
