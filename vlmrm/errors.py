"""Errors that the user can fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Bad input; the message is one line that names the key or file and says how to fix it.

    Checks that find several problems at once give a line each.

    The command line prints only the message and exits with status 2; a traceback means a bug in
    this package.
    """


class MissingDependency(UserError):
    """An optional dependency is not installed."""


@contextmanager
def blaming(key: str) -> Iterator[None]:
    """Names the key whose value is wrong, where the block knows only the value.

    Raises:
        UserError: The block raised one, or a ValueError.
    """
    try:
        yield
    except (UserError, ValueError) as error:
        raise UserError(f"{key}: {error}") from error


def one_line(error: BaseException) -> str:
    """The message of an error in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def shorten(message: str, length: int = 300) -> str:
    """A message as one line of at most this length, whatever text of others it repeats.

    What a terminal cannot show is escaped. The middle of a longer line is left out: its start names
    the key or file, and its end says what to do.
    """
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message)
    if len(line) <= length:
        return line
    end = length // 3
    return f"{line[: length - end - 5]} ... {line[-end:]}"


def suggest(name: object, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the closest known name, otherwise the known names."""
    known = [str(k) for k in known]
    close = difflib.get_close_matches(str(name), known, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    names = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"; known: {names}" if known else ""


def unknown(key: str, name: str, known: Iterable[str]) -> Iterator[str]:
    """The problem that ``key`` gives a name that is none of the known ones, if it does."""
    if name not in known:
        yield f"{key}: unknown name '{name}'{suggest(name, known)}"
