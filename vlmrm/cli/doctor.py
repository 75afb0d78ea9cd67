"""``vlmrm doctor``: whether this machine has what the pipeline needs."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Tell what the pipeline will find on this machine; status 1 if runs would fail."""
    from vlmrm.machine.doctor import Verdict, examine

    checks = examine()
    for check in checks:
        print(check)
    if any(check.verdict is Verdict.broken for check in checks):
        raise typer.Exit(1)
