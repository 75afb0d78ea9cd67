"""Downloads from the Hugging Face hub with its client, resumed and verified.

The client's `hf_hub_download` deletes the partial file when a download fails, so `download` keeps
partial files itself. Three environment variables of the client apply: ``HF_ENDPOINT`` (a mirror),
``HF_TOKEN`` (for gated models; tokens stored by other programs are not used), and
``HF_HUB_OFFLINE``. Every `UserError` starts with the ``key`` of the model in the configuration.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

from filelock import lock_descriptor
from huggingface_hub import (
    HfApi,
    ModelInfo,
    constants,
    get_hf_file_metadata,
    get_session,
    hf_hub_url,
    try_to_load_from_cache,
)
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

from vlmrm.errors import UserError, one_line
from vlmrm.models.folder import file_sha256

Answer = TypeVar("Answer")

HTTPError = HfHubHTTPError.__bases__[0]
"""Base class of the errors of the client's HTTP library."""

# The client keeps what has arrived in whole chunks of 10 MB; shorter connections got nowhere.
constants.DOWNLOAD_CHUNK_SIZE = 2**18

PAUSES = (2.0, 4.0, 8.0, 16.0)
"""Seconds before further attempts, unless the server names a time."""

LONGEST_PAUSE = 120.0
"""Longest time in seconds that a server can ask to wait."""

BUSY = (408, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed."""

RESEARCH_LICENSES = ("apple-amlr", "cc-by-nc")
"""Beginnings of the hub's names of licenses that forbid commercial use."""

TIMEOUT = 10.0
"""Timeout of metadata requests in seconds; downloads have the client's own."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be downloaded.

    Attributes:
        name: File name, without folders.
        url: Address of the file.
        version: Identifies the content; differs between versions of a file.
        size: Size in bytes, if the server reports it.
        sha256: Checksum or its first digits, if known.
        cached: A large file in the cache of the client, where other programs download to.
    """

    name: str
    url: str
    version: str
    size: int | None = None
    sha256: str | None = None
    cached: Path | None = None

    @property
    def stored_name(self) -> str:
        """Name of the downloaded file; a partial file of another version must not be resumed."""
        return f"{self.version[:16]}-{self.name}"


@dataclass(frozen=True)
class Repository:
    """A repository of the hub at one commit.

    Attributes:
        name: ``owner/name``.
        commit: Commit of the files.
        files: Files of its top folder by name.
        license: Its license as the hub names it, if its page names one.
    """

    name: str
    commit: str
    files: dict[str, RemoteFile]
    license: str | None = None

    @property
    def origin(self) -> dict[str, str | None]:
        """What the provenance of a model says of the repository."""
        return {"repository": self.name, "commit": self.commit, "license": self.license}


def endpoint() -> str:
    """Address of the hub: ``HF_ENDPOINT`` or the official one."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def reach() -> str:
    """Address of the hub, which answers a request, whatever the answer; tries for some seconds.

    Raises:
        UserError: It does not.
    """
    index = f"{endpoint()}/api/models?limit=1"
    with _explain("hub", endpoint(), "its index"):
        try:
            _patiently("hub", lambda: get_session().get(index, timeout=3), pauses=(1.0, 2.0))
        except HTTPError as error:
            raise UserError(one_line(error)) from error
    return endpoint()


def look_up(key: str, name: str, revision: str | None) -> Repository:
    """Looks up the files of a repository at a revision, by default of its main branch.

    Raises:
        UserError: The hub cannot be reached or refuses the request.
    """
    with _explain(key, endpoint(), name, revision):
        api = HfApi(endpoint=endpoint(), token=_token())
        info = _patiently(
            key,
            lambda: api.model_info(name, revision=revision, files_metadata=True, timeout=TIMEOUT),
        )
    commit = info.sha or revision
    if commit is None:
        raise UserError(f"{key}: {endpoint()} reports no commit of {name}; set `revision`")
    files = {
        f.rfilename: RemoteFile(
            name=f.rfilename,
            url=hf_hub_url(name, f.rfilename, revision=commit, endpoint=endpoint()),
            version=(f.lfs and f.lfs.sha256) or f.blob_id or commit,
            size=f.size,
            sha256=f.lfs.sha256 if f.lfs else None,
            cached=_in_cache(name, f.rfilename, commit) if f.lfs else None,
        )
        for f in info.siblings or []
        if "/" not in f.rfilename
    }
    return Repository(name, commit, files, _license(info))


def _in_cache(repository: str, name: str, commit: str) -> Path | None:
    path = try_to_load_from_cache(repository, name, constants.HF_HUB_CACHE, revision=commit)
    return Path(path).resolve() if isinstance(path, str) else None


def describe_license(name: str | None) -> str:
    """A license in words, with the restrictions that are easily overlooked."""
    if name is None:
        return "license not stated on its page"
    research = any(name.startswith(start) for start in RESEARCH_LICENSES)
    return f"license {name}" + (", for research only" if research else "")


def _license(info: ModelInfo) -> str | None:
    """The license in the metadata of a repository's page."""
    data = info.card_data
    if data is None:
        return None
    name = data.get("license")
    return str(data.get("license_name") or name) if name == "other" else name


def look_up_url(key: str, url: str, sha256: str) -> RemoteFile:
    """Looks up a file on another server than the hub.

    Args:
        key: Key of the model in the configuration.
        url: Address of the file.
        sha256: Its checksum or the first digits of it.

    Raises:
        UserError: The server cannot be reached or refuses the request.
    """
    name = url.rsplit("/", 1)[-1]
    with _explain(key, _host(url), name):
        metadata = _patiently(key, lambda: get_hf_file_metadata(url, token=False, timeout=TIMEOUT))
    size = metadata.size
    return RemoteFile(name, url, sha256, size, sha256)


def check_space(key: str, files: Iterable[RemoteFile], folder: Path, extra: int = 0) -> str:
    """Checks that the disk has space for a download; returns a text with both sizes.

    Args:
        key: Key of the model in the configuration.
        files: Files to download, minus what ``folder`` already contains of them.
        folder: Folder of partial downloads.
        extra: Further bytes needed.

    Raises:
        UserError: The disk has too little space.
    """
    missing = sum(max((f.size or 0) - _present(f, folder), 0) for f in files)
    free = require_space(key, missing + extra, folder.parent)
    return f"{readable(missing)} to download, {readable(free)} free"


def require_space(key: str, needed: float, folder: Path) -> int:
    """Checks that the disk of a folder has ``needed`` bytes of free space; returns the free bytes.

    Raises:
        UserError: The disk has too little space.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{key}: needs {readable(needed)} of disk space, but {folder} has {readable(free)}; "
            "free some space and run again"
        )
    return free


def download(key: str, file: RemoteFile, folder: Path) -> Path:
    """Downloads a file, or the rest of it, into a folder of partial downloads.

    Shows a progress bar on a terminal.

    Returns:
        Path of the file, which ends in `RemoteFile.stored_name`.

    Raises:
        UserError: The download failed, or the file is damaged.
    """
    whole = folder / file.stored_name
    if whole.is_file() or _take_from_cache(file, whole):
        return whole
    part = folder / f"{file.stored_name}.part"
    host = _host(file.url)
    with _explain(key, host, file.name, part=part, size=file.size), part.open("ab") as stream:
        if file.size is not None and stream.tell() > file.size:
            stream.truncate(0)
            stream.seek(0)
        # The client would report each attempt; only the outcome is of interest.
        logging.set_verbosity_error()
        _patiently(
            key,
            lambda: http_get(
                file.url,
                stream,
                resume_size=stream.tell(),
                headers=build_hf_headers(token=_token() if host == endpoint() else False),
                expected_size=file.size,
                displayed_filename=file.name,
            ),
            progress=stream.tell,
        )
    if file.sha256 is not None:
        found = file_sha256(part)
        if not found.startswith(file.sha256):
            part.unlink()
            raise UserError(
                f"{key}: {file.name} is damaged (its sha256 is {found[:12]}..., not "
                f"{file.sha256[:12]}...); run the command again"
            )
    return part.rename(whole)


def _take_from_cache(file: RemoteFile, whole: Path) -> bool:
    """Links or copies a file from the client's cache; False if it is not there, or damaged."""
    if file.cached is None or file_sha256(file.cached) != file.sha256:
        return False
    try:
        whole.hardlink_to(file.cached)
    except OSError:  # another disk
        copy = whole.with_name(f"{whole.name}.copy")
        shutil.copyfile(file.cached, copy)
        copy.rename(whole)
    return True


@contextmanager
def partial_downloads(key: str, folder: Path) -> Iterator[Path]:
    """A folder for partial downloads next to the model folder; kept only if the block fails.

    Raises:
        UserError: Another process is using it.
    """
    parts = folder.parent / f".{folder.name}.download"
    parts.mkdir(parents=True, exist_ok=True)
    with (parts / "lock").open("w") as lock:
        try:
            free = lock_descriptor(lock.fileno(), blocking=False)
        except OSError:  # a file system without locks
            free = True
        if not free:
            raise UserError(f"{key}: another process is downloading it; wait for that process")
        yield parts
        shutil.rmtree(parts)


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


def readable(size: float) -> str:
    """Formats a number of bytes, for example as ``1.7 GB``."""
    return naturalsize(size)


def _present(file: RemoteFile, folder: Path) -> int:
    """Bytes of a file that are already in the folder, or can be linked to from the cache."""
    if file.cached is not None and file.cached.stat().st_dev == folder.stat().st_dev:
        return file.cached.stat().st_size
    stored = folder / file.stored_name
    paths = (stored, stored.with_name(f"{stored.name}.part"))
    return next((path.stat().st_size for path in paths if path.is_file()), 0)


def _token() -> str | bool:
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


def _host(url: str) -> str:
    if url.startswith(endpoint()):
        return endpoint()
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _patiently(
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
def _explain(
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
        asked = "the account of HF_TOKEN has no access" if _token() else "HF_TOKEN is not set"
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
        if _token():
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
        of = f" of {readable(size)}" if size else ""
        raise UserError(
            f"{key}: {what} stopped after {readable(here)}{of} ({reason}); run again to resume"
        ) from error
    raise UserError(
        f"{key}: {host} cannot be reached ({reason}); check the network{_or_mirror(host)}, or "
        "copy the model folder from a machine that has it"
    ) from error


def _or_mirror(host: str) -> str:
    return ", or name a mirror in HF_ENDPOINT" if host == endpoint() else ""
