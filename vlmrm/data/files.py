"""Files that appear whole or not at all, and contain their provenance."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
import pyarrow.parquet as pq
from filelock import lock_descriptor
from numpy.typing import ArrayLike, NDArray

from vlmrm.data.provenance import provenance
from vlmrm.errors import REMEDIES, UserError, one_line

UMASK = os.umask(0o077)
os.umask(UMASK)

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that takes no more: full, or over a quota or limit."""
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of a folder or disk that takes nothing."""
UNREADABLE = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR, errno.EIO, errno.ESTALE)
"""Errors of a file or a disk that say nothing about the content of the file."""
AGAIN = "delete it and run again"
"""What to do about a file that is damaged or wrong."""
ALIVE = ".alive"
"""File in a temporary folder that its process has locked."""
LOCK = ".lock"
"""File of a folder that has one writer at a time; it stays."""
ALMOST_FULL = 2**20
"""Free bytes of a disk on which a library has failed that does not say why."""

LOGGER = logging.getLogger("vlmrm")


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path, which is renamed to ``path`` only on success.

    Works for files and for folders (create the folder at the yielded path). The temporary
    path keeps the suffix, because some writers choose their format by it. What a killed process has
    left of the same path is removed.

    Raises:
        UserError: The disk is full, the folder or disk is read-only, or ``path`` is a device or a
            pipe, which a file would replace.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"{path}: is neither a file nor a folder; give another path")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{path.name}-"
        _remove_left(path.parent, prefix)
        with (
            tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix) as folder,
            (Path(folder) / ALIVE).open("w") as alive,
        ):
            _try_lock(alive)
            temporary = Path(folder) / path.name
            with _full_disk_named(path.parent):
                yield temporary
            _finish(temporary)
            if temporary.is_dir() and path.is_dir():
                # rename() replaces a file, but not a folder with content.
                path.rename(Path(folder) / "replaced")
            temporary.replace(path)
    except OSError as error:
        number = error.errno or 0
        read_only = number in READ_ONLY and not os.access(existing(path.parent), os.W_OK)
        if number in NO_SPACE or read_only:
            message = f"{path}: {os.strerror(number)}; {REMEDIES[number]}"
            raise UserError(message) from error
        raise


@contextmanager
def _full_disk_named(folder: Path) -> Iterator[None]:
    """Some libraries report a full disk in words alone, or not at all."""
    try:
        yield
    except (OSError, UserError):
        raise
    except Exception as error:
        reason = os.strerror(errno.ENOSPC)
        if reason in str(error) or shutil.disk_usage(folder).free < ALMOST_FULL:
            raise OSError(errno.ENOSPC, reason) from error
        raise


def existing(folder: Path) -> Path:
    """The folder, or the closest folder above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


def _remove_left(parent: Path, prefix: str) -> None:
    """Removes the temporary folders of processes that have ended."""
    for folder in parent.iterdir():
        if folder.name.startswith(prefix):
            with suppress(OSError):
                with (folder / ALIVE).open("r+") as alive:
                    ended = _try_lock(alive)
                if ended:
                    shutil.rmtree(folder)


def _try_lock(file: IO[str]) -> bool:
    """Locks a file until it is closed; False if another process has, or the disk has no locks."""
    try:
        return lock_descriptor(file.fileno(), blocking=False)
    except OSError:
        return False


def _finish(path: Path) -> None:
    """Brings files to the disk, and gives them the user's usual permissions.

    Some libraries write them for the user alone. A disk may report only now that it is full.
    """
    for file in (path, *path.rglob("*")):
        if file.is_file() and not file.is_symlink():
            if file.stat().st_nlink == 1:  # those of another place keep theirs
                file.chmod(0o666 & ~UMASK)
            with file.open("rb") as opened:
                os.fsync(opened.fileno())


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Makes this the only process that writes to a folder; ends with the process.

    On a file system without locks, such as Lustre mounted without ``flock``, it only warns.

    Raises:
        UserError: Another process does so already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            free = lock_descriptor(lock.fileno(), blocking=False)  # until the file is closed
        except OSError as error:
            LOGGER.warning("%s: has no locks (%s); do not write there twice", folder, error)
            free = True
        if not free:
            raise UserError(
                f"{folder}: another process is writing there; end it first, or give another folder"
            )
        yield


@contextmanager
def create_hdf5(
    path: str | os.PathLike[str], kind: str, context: dict[str, Any]
) -> Iterator[NewFile]:
    """Opens a new file of this kind, which appears when the block ends without an error.

    Raises:
        UserError: The disk is full or read-only.
    """
    with atomic_path(path) as temporary, _HonestFile(temporary) as raw:
        try:
            with NewFile(raw) as file:
                file.attrs["kind"] = np.bytes_(kind)
                file.attrs["provenance"] = np.bytes_(dump_provenance(context))
                yield file
        finally:
            raw.check()


def put(group: h5py.Group, name: str, values: ArrayLike) -> None:
    """Adds an array of numbers or texts to a new file, with checksums that show damage.

    Texts have a fixed length: HDF5 has no checksums for others, and may read damaged ones forever.
    """
    array = np.asarray(values)
    if array.dtype.kind in "UO":
        array = np.char.encode(array.astype(str), "utf-8")
    if array.size:
        group.create_dataset(name, data=array, chunks=True, fletcher32=True)
    else:
        group[name] = array


def texts(dataset: h5py.Dataset) -> NDArray[np.str_]:
    """Reads an array of texts."""
    return np.char.decode(dataset[:], "utf-8")


def text_attribute(file: h5py.File, name: str) -> str:
    """Reads a text that describes a file."""
    value = file.attrs[name]
    return value.decode() if isinstance(value, bytes) else str(value)


class NewFile(h5py.File):  # type: ignore[misc]
    """A new HDF5 file."""

    def __init__(self, raw: _HonestFile):
        # Since this version, HDF5 has checksums for its own structures too.
        super().__init__(raw, "w", libver=("v110", "v110"))
        self._raw = raw

    def check(self) -> None:
        """Raises the error of a write that failed, before more is computed."""
        self._raw.check()


class _HonestFile(io.FileIO):
    """A file on a disk that may be full.

    HDF5 writes much when a dataset or a file is closed, where it ignores errors or crashes. So it
    sees none: the first is kept, and what is written after it stays in memory, to be read back.
    """

    def __init__(self, path: Path):
        super().__init__(path, "w+")
        self._error: OSError | None = None
        self._lost: list[tuple[int, bytes]] = []

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        rest = view
        start = self.tell()
        while rest and not self._error:
            try:
                rest = rest[super().write(rest) or 0 :]
            except OSError as error:
                self._error = error
        if rest:
            self._lost.append((start + len(view) - len(rest), bytes(rest)))
            self.seek(start + len(view))
        return len(view)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        start, size = self.tell(), len(view)
        view[:] = bytes(size)  # beyond the end of the file
        super().readinto(view)
        for at, data in self._lost:
            first, last = max(at, start), min(at + len(data), start + size)
            if first < last:
                view[first - start : last - start] = data[first - at : last - at]
        self.seek(start + size)
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self._error = self._error or error
            return self.tell() if size is None else size

    def check(self) -> None:
        """Raises the error of the write that failed."""
        if self._error:
            raise self._error


def open_hdf5(path: str | os.PathLike[str], kind: str) -> h5py.File:
    """Opens a file for reading.

    Raises:
        UserError: The file is missing, unreadable, or of another kind.
    """
    require_file(Path(path))
    file = _open(path)
    with reading(path):
        found = text_attribute(file, "kind") if "kind" in file.attrs else "something else"
    if found != kind:
        file.close()
        raise UserError(f"{path}: contains {found}, expected {kind}")
    return file


def read_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads where an artifact came from: versions, commit, settings.

    Raises:
        UserError: The file is missing or unreadable.
    """
    path = Path(path)
    require_file(path)
    with reading(path):
        if path.suffix == ".parquet":
            return dict(json.loads(pq.read_schema(path).metadata[b"provenance"]))
        with _open(path) as file:
            return dict(json.loads(text_attribute(file, "provenance")))


def _open(path: str | os.PathLike[str]) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise UserError(f"{path}: {_why_closed(error)}") from error


def _why_closed(error: OSError) -> str:
    """Why a file cannot be opened: only damage is a reason to delete it."""
    match error.errno:
        case errno.EAGAIN:
            return "another program is writing it; close that first"
        case errno.ENOLCK | errno.ENOSYS | errno.ENOTSUP:
            return "its disk has no file locks; set HDF5_USE_FILE_LOCKING=FALSE and run again"
        case None:
            return f"not a readable HDF5 file; {AGAIN}"
        case number:
            return f"cannot be read ({os.strerror(number)})"


@contextmanager
def reading(path: str | os.PathLike[str], remedy: str = AGAIN) -> Iterator[None]:
    """Answers whatever is wrong with a file's content in one line.

    Raises:
        UserError: The block raised an error.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in UNREADABLE:
            raise UserError(f"{path}: cannot be read ({os.strerror(error.errno)})") from error
        raise UserError(f"{path}: damaged ({one_line(error)}); {remedy}") from error


def require(path: str | os.PathLike[str], sound: bool, problem: str) -> None:
    """Checks the content of a file.

    Raises:
        UserError: It is not sound.
    """
    if not sound:
        raise UserError(f"{path}: {problem}; {AGAIN}")


def require_rows(path: str | os.PathLike[str], found: int, states: int, what: str) -> None:
    """Checks that a file has one row for each state.

    Args:
        path: The file.
        found: Number of its rows.
        states: Number of states.
        what: What a row is, in the plural.

    Raises:
        UserError: The numbers differ.
    """
    require(path, found == states, f"{found} {what} of {states} states")


def read_scene(path: str | os.PathLike[str]) -> str:
    """The scene that a file of frames, or of their embeddings, is of.

    Raises:
        UserError: The file is damaged, or does not say it.
    """
    scene: str | None = read_provenance(path).get("scene")
    require(path, scene is not None, "does not say which scene it shows")
    return str(scene)


def require_file(path: Path) -> None:
    """Checks that a file exists.

    Raises:
        UserError: There is no such file.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")


def dump_provenance(context: dict[str, Any]) -> str:
    """Provenance of this process as JSON, with ``context`` (settings, seed) added."""
    return json.dumps(provenance(**context), default=str, sort_keys=True)
