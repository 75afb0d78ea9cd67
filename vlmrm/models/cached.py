"""Embeddings that are made once and kept in the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import vlmrm
from vlmrm.data.embeddings import read_embeddings, write_embeddings
from vlmrm.data.files import existing, require
from vlmrm.data.pictures import read_picture
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import CONFIG_FILE, file_sha256, weights_sha256
from vlmrm.terminal.bars import bar

EMBEDDINGS = ("models",), ("open_clip_torch", "timm", "torch", "torchvision")
"""Rooms of the package, and libraries, that determine embeddings, with a model."""
PICTURES = ("data",), ("pillow",)
"""Those that determine how a picture file is read."""
ELSEWHERE = "name a folder for the cache in XDG_CACHE_HOME"


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/vlmrm``, by default ``~/.cache/vlmrm``.

    Raises:
        UserError: The user has no home.
    """
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vlmrm"
    except RuntimeError as error:
        raise UserError(f"HOME: not set; {ELSEWHERE}") from error


def cache_key(*parts: object) -> str:
    """Sixteen hexadecimal digits that identify parts, which JSON can hold."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def versions(rooms: Sequence[str], libraries: Sequence[str]) -> dict[str, str]:
    """A checksum of rooms of the package, and the versions of libraries."""
    digest = hashlib.sha256()
    root = Path(vlmrm.__file__).parent
    for room in rooms:
        for path in sorted((root / room).rglob("*")):
            if path.is_file() and path.suffix not in (".pyc", ".safetensors"):
                digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return {**{name: version(name) for name in libraries}, "vlmrm": digest.hexdigest()}


def embed_once(
    folder: Path, count: int, clip: ClipModel, embed: Callable[[], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Unit embeddings ``[N, E]`` of a folder of the cache; makes them if they are not there.

    Args:
        folder: Folder in the cache that belongs to the images.
        count: Number N of the images.
        clip: A model that was loaded from its folder.
        embed: Makes the embeddings.

    Raises:
        UserError: They could not be kept.
    """
    assert clip.folder is not None
    checksums = [weights_sha256(clip.folder), file_sha256(clip.folder / CONFIG_FILE)]
    preprocessing = str(clip.preprocessing)
    key = cache_key(*checksums, clip.precision, preprocessing, versions(*EMBEDDINGS))
    file = folder / f"embeddings-{key}.h5"
    if not file.exists():
        if not os.access(existing(folder), os.W_OK):
            raise UserError(f"{folder}: cannot be written; {ELSEWHERE}")
        write_embeddings(file, embed(), model=clip.name)
    embeddings = read_embeddings(file)
    require(file, len(embeddings) == count, f"{len(embeddings)} embeddings of {count} images")
    return embeddings


def embed_batches(
    clip: ClipModel, batches: Iterable[NDArray[np.uint8]], count: int, unit: str = "frame"
) -> NDArray[np.float32]:
    """Unit embeddings ``[N, E]`` of batches of frames ``[n, H, W, 3]``, with a progress bar."""
    embeddings = []
    with bar(total=count, unit=unit, desc=f"embed {clip.name}") as embedded:
        for batch in batches:
            embeddings.append(clip.embed_images(batch))
            embedded.update(len(batch))
    return np.concatenate(embeddings)


def embed_pictures(paths: Sequence[Path], clip: ClipModel) -> NDArray[np.float32]:
    """Unit embeddings ``[N, E]`` of picture files of any size, from the cache or for it.

    Raises:
        UserError: A picture cannot be read.
    """

    def embed() -> NDArray[np.float32]:
        batches = (read_picture(path)[None] for path in paths)
        return embed_batches(clip, batches, len(paths), "picture")

    key = cache_key([file_sha256(path) for path in paths], versions(*PICTURES))
    folder = cache_folder() / "pictures" / key
    return embed_once(folder, len(paths), clip, embed)
