"""Requests to the hub and other servers: repeated where that helps, their errors explained."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from humanize import naturalsize

from vlmrm.errors import UserError, one_line

Answer = TypeVar("Answer")

HTTPError = HfHubHTTPError.__bases__[0]
"""Base class of the errors of the client's HTTP library."""

PAUSES = (2.0, 4.0, 8.0, 16.0)
"""Seconds before further attempts, unless the server names a time."""

LONGEST_PAUSE = 120.0
"""Longest time in seconds that a server can ask to wait."""

BUSY = (408, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed."""


def endpoint() -> str:
    """Address of the hub: ``HF_ENDPOINT`` or the official one."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def token() -> str | bool:
    """The user's token; False rather than None, or the client uses those of other programs.

    Raises:
        UserError: It cannot be one; the message does not show it.
    """
    token = os.environ.get("HF_TOKEN", "").strip()
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise UserError(
            "HF_TOKEN: contains characters that no token has, such as a line break; copy it again "
            "from the settings of your account on the hub"
        )
    return token or False


def host_of(url: str) -> str:
    if url.startswith(endpoint()):
        return endpoint()
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def patiently(
    key: str,
    request: Callable[[], Answer],
    progress: Callable[[], int] = lambda: 0,
    pauses: Sequence[float] = PAUSES,
) -> Answer:
    """Repeats a request that a busy server or a broken connection may answer later.

    An attempt after which ``progress`` has grown does not count.
    """
    left = iter(pauses)
    while True:
        before = progress()
        try:
            return request()
        except HTTPError as error:
            status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
            if status not in (None, *BUSY):
                raise
            if progress() > before:
                left = iter(pauses)
            pause = next(left, None)
            if pause is None:
                raise
            if isinstance(error, HfHubHTTPError):
                pause = _retry_after(error.response.headers.get("Retry-After"), pause)
            reason = f"the server answers {status}" if status else one_line(error)
            print(f"vlmrm: {key}: {reason}; next attempt in {pause:.0f} seconds", file=sys.stderr)
            time.sleep(pause)


def _retry_after(header: str | None, pause: float) -> float:
    """Seconds that a server asks to wait, as a number or a date; ``pause`` if it does not."""
    if not header:
        return pause
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return pause
    return min(max(seconds, 0.0), LONGEST_PAUSE)


@contextmanager
def explain(
    key: str,
    host: str,
    what: str,
    revision: str | None = None,
    part: Path | None = None,
    size: int | None = None,
) -> Iterator[None]:
    """Turns errors of the client into a `UserError` with a remedy."""
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise UserError(
            f"{key}: HF_HUB_OFFLINE is set; unset it to download {what}, or copy the model folder "
            "from a machine that has it"
        ) from error
    except GatedRepoError as error:
        asked = "the account of HF_TOKEN has no access" if token() else "HF_TOKEN is not set"
        page = error.repo_id or what
        raise UserError(
            f"{key}: {page} is gated and {asked}; accept its terms at {host}/{page} and set the "
            "environment variable HF_TOKEN to a token of that account"
        ) from error
    except RepositoryNotFoundError as error:
        raise UserError(
            f"{key}: {host} has no repository {what}, or it is private; correct the name, or set "
            "the environment variable HF_TOKEN to a token with access"
        ) from error
    except RevisionNotFoundError as error:
        raise UserError(
            f"{key}.revision: {what} has no commit {revision}; take one from "
            f"{host}/{what}/commits/main"
        ) from error
    except HFValidationError as error:
        raise UserError(
            f"{key}: {what} is not a valid repository name; choose another model"
        ) from error
    except HfHubHTTPError as error:
        _refused(key, host, what, error)
    except HTTPError as error:
        _interrupted(key, host, what, error, part, size)
    except ImportError as error:
        if "SOCKS" not in str(error):
            raise
        raise UserError(
            f"{key}: a SOCKS proxy is set (ALL_PROXY or HTTPS_PROXY), which needs the library "
            "socksio; install it with `pip install socksio`"
        ) from error
    except (json.JSONDecodeError, KeyError) as error:
        raise UserError(
            f"{key}: {host} does not answer like a model hub; correct HF_ENDPOINT"
        ) from error
    except ValueError as error:
        if "proxy" not in str(error):
            raise
        raise UserError(
            f"{key}: {one_line(error)}; correct ALL_PROXY, HTTPS_PROXY, and HTTP_PROXY (http and "
            "socks5 work), or unset them"
        ) from error
    except OSError as error:
        refuse_full_disk(key, error)
        if error.errno is not None:
            raise
        # The client raises a plain OSError for a file of another size than announced.
        if part is not None:
            part.unlink(missing_ok=True)
        message = f"{key}: the size of {what} is not the announced one; run again"
        raise UserError(message) from error


def _refused(key: str, host: str, what: str, error: HfHubHTTPError) -> NoReturn:
    status = error.response.status_code
    if status in (401, 403):
        remedy = "set the environment variable HF_TOKEN to a token with access"
        if token():
            remedy = "HF_TOKEN is invalid or has no access; renew or unset it"
    else:
        remedy = f"run again later{_or_mirror(host)}; the partial download is kept"
    raise UserError(f"{key}: {host} answers {status} for {what}; {remedy}") from error


def _interrupted(
    key: str, host: str, what: str, error: Exception, part: Path | None, size: int | None
) -> NoReturn:
    reason = one_line(error)
    here = part.stat().st_size if part is not None and part.is_file() else 0
    if here:
        of = f" of {naturalsize(size)}" if size else ""
        raise UserError(
            f"{key}: {what} stopped after {naturalsize(here)}{of} ({reason}); run again to resume"
        ) from error
    raise UserError(
        f"{key}: {host} cannot be reached ({reason}); check the network{_or_mirror(host)}, or "
        "copy the model folder from a machine that has it"
    ) from error


def _or_mirror(host: str) -> str:
    return ", or name a mirror in HF_ENDPOINT" if host == endpoint() else ""


def refuse_full_disk(key: str, error: Exception) -> None:
    """Turns an error caused by a full disk into a `UserError`; ignores other errors.

    Raises:
        UserError: The disk is full.
    """
    numbers = (errno.ENOSPC, errno.EDQUOT)
    # safetensors gives the number only in its message.
    in_words = any(f"(os error {number})" in str(error) for number in numbers)
    if in_words or getattr(error, "errno", None) in numbers:
        message = f"{key}: the disk is full; free some space and run again to resume"
        raise UserError(message) from error
