"""Errors that the user can fix."""

from __future__ import annotations

import difflib
import errno
import os
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


def printable(text: str) -> str:
    """A text with escapes for the characters that a terminal would obey instead of showing them."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )


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


NO_MEMORY = ("can't allocate memory", "cannot allocate memory", "failed to map", "out of memory")
"""What libraries say in errors of any class."""

REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make space there, and run again"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "change its permissions, or give another path"),
    errno.EROFS: "make it writable, or give another path",
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "raise the limit (`ulimit -n 4096`)"),
    errno.EAGAIN: "raise the limit of processes (`ulimit -u`), or use fewer cores",
}
"""What to do where the machine refuses something."""


def lacks_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the machine or of a GPU."""
    number = error.errno if isinstance(error, OSError) else None
    said = any(text in str(error).lower() for text in NO_MEMORY)
    return isinstance(error, MemoryError) or number == errno.ENOMEM or said


def lacking(error: BaseException) -> str | None:
    """What the machine lacked, in one line with the remedy, if that caused an error."""
    if lacks_memory(error):
        return (
            f"too little memory ({one_line(error)}); close other programs, or run this where there "
            "is more"
        )
    if isinstance(error, OSError) and error.errno in REMEDIES:
        reason = f"{os.strerror(error.errno)}; {REMEDIES[error.errno]}"
        return f"{error.filename}: {reason}" if error.filename else reason
    return None


def shorten(message: str, length: int = 300) -> str:
    """A message as one line of at most this length, whatever text of others it repeats.

    What a terminal cannot show is escaped. The middle of a longer line is left out: its start names
    the key or file, and its end says what to do.
    """
    line = printable(message).replace("\n", r"\n").replace("\t", r"\t")
    if len(line) <= length:
        return line
    end = length // 3
    return f"{line[: length - end - 5]} ... {line[-end:]}"


def suggest(name: object, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the closest known name, otherwise the known names."""
    known = [str(k) for k in known]
    close = [k for k in known if k.casefold() == str(name).casefold()]
    close = close or difflib.get_close_matches(str(name), known, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    names = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"; known: {names}" if known else ""


def unknown(key: str, name: str, known: Iterable[str]) -> Iterator[str]:
    """The problem that ``key`` gives a name that is none of the known ones, if it does."""
    if name not in known:
        yield f"{key}: unknown name '{name}'{suggest(name, known)}"


def refuse_unknown(key: str, name: str, known: Iterable[str]) -> None:
    """Raises a `UserError` with the problem of `unknown`, if there is one."""
    for problem in unknown(key, name, known):
        raise UserError(problem)
