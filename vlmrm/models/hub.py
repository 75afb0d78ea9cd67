"""Downloads from the Hugging Face hub with its client, resumed and verified.

The client's `hf_hub_download` deletes what has arrived when a download fails, so `download` keeps
partial files itself. Three environment variables of the client apply: ``HF_ENDPOINT`` (a mirror),
``HF_TOKEN`` (for gated models; a token stored by other programs is not used) and
``HF_HUB_OFFLINE``.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from filelock import lock_descriptor
from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers, logging
from humanize import naturalsize

from vlmrm.errors import UserError
from vlmrm.models.folder import file_sha256

HTTPError = HfHubHTTPError.__bases__[0]
"""The base class of the errors of the client's HTTP library, whichever that is."""

TIMEOUT = 10.0
"""Seconds before a question to the hub fails; downloads have the client's own limits."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be downloaded.

    Attributes:
        name: Without folders.
        url: Its address.
        version: Differs between files of the same name with different content.
        size: Bytes, if the server says.
        sha256: Or its first digits, if known.
    """

    name: str
    url: str
    version: str
    size: int | None = None
    sha256: str | None = None

    @property
    def stored_name(self) -> str:
        """Its name among downloads: partial files of another version must not be resumed."""
        return f"{self.version[:16]}-{self.name}"


@dataclass(frozen=True)
class Repository:
    """A repository of the hub at one commit, and the files of its top folder by name."""

    name: str
    commit: str
    files: dict[str, RemoteFile]


def endpoint() -> str:
    """The hub's address: ``HF_ENDPOINT``, or the official one."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def look_up(key: str, name: str, revision: str | None) -> Repository:
    """Asks the hub for the files of a repository at a revision, by default its main branch.

    Raises:
        UserError: The hub cannot be reached, or refuses; begins with ``key``.
    """
    with _explain(key, endpoint(), name, revision):
        api = HfApi(endpoint=endpoint(), token=_token())
        info = api.model_info(name, revision=revision, files_metadata=True, timeout=TIMEOUT)
    commit = info.sha or revision
    if commit is None:
        raise UserError(f"{key}: {endpoint()} names no commit of {name}; give a `revision`")
    files = {
        f.rfilename: RemoteFile(
            name=f.rfilename,
            url=hf_hub_url(name, f.rfilename, revision=commit, endpoint=endpoint()),
            version=(f.lfs and f.lfs.sha256) or f.blob_id or commit,
            size=f.size,
            sha256=f.lfs.sha256 if f.lfs else None,
        )
        for f in info.siblings or []
        if "/" not in f.rfilename
    }
    return Repository(name, commit, files)


def look_up_url(key: str, url: str, sha256: str) -> RemoteFile:
    """Asks a server other than the hub for a file; the first digits of its sha256 are known.

    Raises:
        UserError: The server cannot be reached, or refuses; begins with ``key``.
    """
    name = url.rsplit("/", 1)[-1]
    with _explain(key, _host(url), name):
        size = get_hf_file_metadata(url, token=False, timeout=TIMEOUT).size
    return RemoteFile(name, url, sha256, size, sha256)


def check_space(key: str, files: Iterable[RemoteFile], folder: Path, extra: int = 0) -> str:
    """Checks that the disk has space for a download; returns both sizes in words.

    Args:
        key: The error begins with it.
        files: Files to download; what ``folder`` already holds of them is not counted.
        folder: The folder of partial downloads.
        extra: Bytes needed besides.

    Raises:
        UserError: The disk has too little space.
    """
    missing = sum(max((f.size or 0) - _present(f, folder), 0) for f in files)
    free = require_space(key, missing + extra, folder.parent)
    return f"{readable(missing)} to download, {readable(free)} free"


def require_space(key: str, needed: float, folder: Path) -> int:
    """Bytes free on the disk of a folder.

    Raises:
        UserError: Fewer than ``needed``; begins with ``key``.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{key}: needs {readable(needed)} of disk space, but {folder} has {readable(free)}; "
            "free some and run again"
        )
    return free


def download(key: str, file: RemoteFile, folder: Path) -> Path:
    """Downloads a file into a folder of partial downloads, or the part that is missing there.

    Shows a progress bar on a terminal.

    Returns:
        The path, which ends in `RemoteFile.stored_name`.

    Raises:
        UserError: The file did not arrive, or arrived damaged; begins with ``key``.
    """
    whole = folder / file.stored_name
    if whole.is_file():
        return whole
    part = folder / f"{file.stored_name}.part"
    host = _host(file.url)
    with _explain(key, host, file.name, part=part, size=file.size), part.open("ab") as stream:
        if file.size is not None and stream.tell() > file.size:
            stream.truncate(0)
            stream.seek(0)
        # The client reports each of its attempts; only the outcome is reported here.
        logging.set_verbosity_error()
        http_get(
            file.url,
            stream,
            resume_size=stream.tell(),
            headers=build_hf_headers(token=_token() if host == endpoint() else False),
            expected_size=file.size,
            displayed_filename=file.name,
        )
    if file.sha256 is not None:
        found = file_sha256(part)
        if not found.startswith(file.sha256):
            part.unlink()
            raise UserError(
                f"{key}: {file.name} arrived damaged (its sha256 is {found[:12]}..., not "
                f"{file.sha256[:12]}...); run again to download it anew"
            )
    return part.rename(whole)


@contextmanager
def partial_downloads(key: str, folder: Path) -> Iterator[Path]:
    """A folder for downloads to one model folder, beside it; kept only if the block fails.

    Raises:
        UserError: Another process is using it; begins with ``key``.
    """
    parts = folder.parent / f".{folder.name}.download"
    parts.mkdir(parents=True, exist_ok=True)
    with (parts / "lock").open("w") as lock:
        try:
            free = lock_descriptor(lock.fileno(), blocking=False)
        except OSError:  # a file system without locks
            free = True
        if not free:
            raise UserError(f"{key}: another process is downloading it; wait until that has ended")
        yield parts
        shutil.rmtree(parts)


def refuse_full_disk(key: str, error: Exception) -> None:
    """Reports a full disk, if that is what the error says.

    Raises:
        UserError: The disk is full; begins with ``key``.
    """
    numbers = (errno.ENOSPC, errno.EDQUOT)
    # safetensors gives the number in its message only.
    in_words = any(f"(os error {number})" in str(error) for number in numbers)
    if in_words or getattr(error, "errno", None) in numbers:
        message = f"{key}: the disk is full; free some space and run again, it will continue"
        raise UserError(message) from error


def readable(size: float) -> str:
    """Bytes in a unit that suits them, for example ``1.7 GB``."""
    return naturalsize(size)


def _present(file: RemoteFile, folder: Path) -> int:
    """Bytes of a file that the folder holds already."""
    stored = folder / file.stored_name
    paths = (stored, stored.with_name(f"{stored.name}.part"))
    return next((path.stat().st_size for path in paths if path.is_file()), 0)


def _token() -> str | bool:
    # False: not a token that other programs have stored.
    return os.environ.get("HF_TOKEN") or False


def _host(url: str) -> str:
    if url.startswith(endpoint()):
        return endpoint()
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@contextmanager
def _explain(
    key: str,
    host: str,
    what: str,
    revision: str | None = None,
    part: Path | None = None,
    size: int | None = None,
) -> Iterator[None]:
    """Turns errors of the client into one line that says what to do."""
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise UserError(
            f"{key}: HF_HUB_OFFLINE is set; unset it to download {what}, or copy the model folder "
            "from a machine that has it"
        ) from error
    except GatedRepoError as error:
        asked = "the owner of HF_TOKEN was not let in" if _token() else "HF_TOKEN is not set"
        page = error.repo_id or what
        raise UserError(
            f"{key}: {page} is gated and {asked}; accept its terms at {host}/{page} and set the "
            "environment variable HF_TOKEN to a token of that account"
        ) from error
    except RepositoryNotFoundError as error:
        raise UserError(
            f"{key}: {host} has no repository {what}, or it is private; correct the name, or set "
            "the environment variable HF_TOKEN to a token of its owner"
        ) from error
    except RevisionNotFoundError as error:
        raise UserError(
            f"{key}.revision: {what} has no commit {revision}; take one from "
            f"{host}/{what}/commits/main"
        ) from error
    except HFValidationError as error:
        raise UserError(
            f"{key}: {what} is no name of a repository; choose another model"
        ) from error
    except HfHubHTTPError as error:
        _refused(key, host, what, error)
    except HTTPError as error:
        _interrupted(key, host, what, error, part, size)
    except (json.JSONDecodeError, KeyError) as error:
        raise UserError(
            f"{key}: {host} does not answer as a hub of models does; correct HF_ENDPOINT"
        ) from error
    except OSError as error:
        refuse_full_disk(key, error)
        if error.errno is not None:
            raise
        # The client raises a plain OSError for a file of another size than announced.
        if part is not None:
            part.unlink(missing_ok=True)
        message = f"{key}: {what} arrived with another size than announced; run again"
        raise UserError(message) from error


def _refused(key: str, host: str, what: str, error: HfHubHTTPError) -> NoReturn:
    status = error.response.status_code
    if status in (401, 403):
        remedy = "set the environment variable HF_TOKEN to a token that may read it"
        if _token():
            remedy = "HF_TOKEN is not valid, or may not read it; renew or unset it"
    else:
        remedy = f"run again later{_or_mirror(host)}; what has arrived is kept"
    raise UserError(f"{key}: {host} answers {status} for {what}; {remedy}") from error


def _interrupted(
    key: str, host: str, what: str, error: Exception, part: Path | None, size: int | None
) -> NoReturn:
    reason = " ".join(str(error).split()) or type(error).__name__
    here = part.stat().st_size if part is not None and part.is_file() else 0
    if here:
        of = f" of {readable(size)}" if size else ""
        raise UserError(
            f"{key}: {what} broke off after {readable(here)}{of} ({reason}); run again, it will "
            "continue"
        ) from error
    raise UserError(
        f"{key}: {host} cannot be reached ({reason}); check the network{_or_mirror(host)}, or "
        "copy the model folder from a machine that has it"
    ) from error


def _or_mirror(host: str) -> str:
    return ", or name a mirror in HF_ENDPOINT" if host == endpoint() else ""
