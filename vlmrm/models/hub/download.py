"""Downloads files with the hub's client, resumed and verified.

The client's `hf_hub_download` deletes the partial file when a download fails, so `download` keeps
partial files itself.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import lock_descriptor
from huggingface_hub import constants
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers, logging
from humanize import naturalsize

from vlmrm.data.files import existing
from vlmrm.errors import UserError
from vlmrm.models.folder import file_sha256, partial_folder
from vlmrm.models.hub.repository import RemoteFile
from vlmrm.models.hub.requests import endpoint, explain, host_of, patiently, token

# The client keeps what has arrived in whole chunks of 10 MB; shorter connections got nowhere.
constants.DOWNLOAD_CHUNK_SIZE = 2**18


def check_space(key: str, files: Iterable[RemoteFile], folder: Path, extra: int) -> str:
    """Checks that the disk has space for a download; returns a text with both sizes.

    Args:
        key: Key of the model in the configuration.
        files: Files to download, minus what ``folder`` already contains of them.
        folder: Folder of partial downloads.
        extra: Further bytes needed.

    Raises:
        UserError: The disk has too little space.
    """
    missing = missing_bytes(files, folder)
    free = require_space(key, missing + extra, folder.parent)
    return f"{naturalsize(missing)} to download, {naturalsize(free)} free"


def missing_bytes(files: Iterable[RemoteFile], folder: Path) -> int:
    """Bytes of files that a folder of partial downloads, which may be missing, does not contain."""
    return sum(max((f.size or 0) - _present(f, folder), 0) for f in files)


def require_space(key: str, needed: float, folder: Path) -> int:
    """Checks that the disk of a folder has ``needed`` bytes of free space; returns the free bytes.

    Raises:
        UserError: The disk has too little space.
    """
    free = shutil.disk_usage(existing(folder)).free
    if needed > free:
        raise UserError(
            f"{key}: needs {naturalsize(needed)} of disk space, but {folder} has "
            f"{naturalsize(free)}; free some space and run again"
        )
    return free


def download(key: str, file: RemoteFile, folder: Path) -> tuple[Path, str]:
    """Downloads a file, or the rest of it, into a folder of partial downloads.

    Shows a progress bar on a terminal.

    Returns:
        Path of the file, which ends in `RemoteFile.stored_name`, and its sha256.

    Raises:
        UserError: The download failed, or the file is damaged.
    """
    whole = folder / file.stored_name
    if whole.is_file():
        return whole, file_sha256(whole)
    if _take_from_cache(file, whole):
        return whole, str(file.sha256)
    part = folder / f"{file.stored_name}.part"
    with part.open("ab") as stream:
        _receive(key, file, stream, part)
    sha256 = file_sha256(part)
    if file.sha256 is not None and not sha256.startswith(file.sha256):
        part.unlink()
        raise UserError(
            f"{key}: {file.name} is damaged (its sha256 is {sha256[:12]}..., not "
            f"{file.sha256[:12]}...); run the command again"
        )
    return part.rename(whole), sha256


def read(key: str, file: RemoteFile) -> bytes:
    """Downloads the content of a small file.

    Raises:
        UserError: The download failed.
    """
    stream = io.BytesIO()
    _receive(key, file, stream)
    return stream.getvalue()


def _receive(key: str, file: RemoteFile, stream: BinaryIO, part: Path | None = None) -> None:
    """Appends what is missing of a file to a stream, that of ``part`` if there is one."""
    host = host_of(file.url)
    with explain(key, host, file.name, part=part, size=file.size):
        if file.size is not None and stream.tell() > file.size:
            stream.truncate(0)
            stream.seek(0)
        # The client would report each attempt; only the outcome is of interest.
        logging.set_verbosity_error()
        patiently(
            key,
            lambda: http_get(
                file.url,
                stream,
                resume_size=stream.tell(),
                headers=build_hf_headers(token=token() if host == endpoint() else False),
                expected_size=file.size,
                displayed_filename=file.name,
            ),
            progress=stream.tell,
        )


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
    parts = partial_folder(folder)
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


def _present(file: RemoteFile, folder: Path) -> int:
    """Bytes of a file that are already in the folder, or can be linked to from the cache."""
    if file.cached is not None and file.cached.stat().st_dev == existing(folder).stat().st_dev:
        return file.cached.stat().st_size
    stored = folder / file.stored_name
    paths = (stored, stored.with_name(f"{stored.name}.part"))
    return next((path.stat().st_size for path in paths if path.is_file()), 0)
