"""The one kind of error that a user can mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Bad input, told in one line that names the key or file and says what to do.

    The command line prints the message alone and exits with status 2; a traceback
    is for defects of this package.
    """


class MissingDependency(UserError):
    """Something optional that is not installed on this machine."""


def in_short(error: BaseException) -> str:
    """What an error of another library says, in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def suggest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the closest known name, else the known names."""
    known = [str(k) for k in known]
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"; known: {listed}" if known else ""
