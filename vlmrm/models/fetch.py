"""Fetches published CLIP models: from the hub, by tag or repository, or from a local folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from vlmrm.config import PretrainedModel
from vlmrm.config.models import differences
from vlmrm.data.files import atomic_path
from vlmrm.errors import UserError, lacks_memory, one_line
from vlmrm.models.clip import ClipModel
from vlmrm.models.find import (
    Parts,
    check_pretrained,
    check_sha256,
    find_locally,
    find_online,
)
from vlmrm.models.folder import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    count_parameters,
    file_sha256,
    is_simulator_trained,
    published_sha256,
    read_model_provenance,
    replaced_source,
    write_model_provenance,
)
from vlmrm.models.hub.download import check_space, download, partial_downloads, require_space
from vlmrm.models.hub.repository import RemoteFile
from vlmrm.models.hub.requests import refuse_full_disk
from vlmrm.models.libraries import open_clip
from vlmrm.models.license import describe_license
from vlmrm.models.network import load_network


def fetch_pretrained(name: str, settings: PretrainedModel, folder: str | os.PathLike[str]) -> None:
    """Fetches a published model into a folder that works without network.

    A folder that already contains the undamaged model stays as it is. Interrupted downloads resume.

    Args:
        name: Name of the model in the configuration, for errors.
        settings: The model.
        folder: Output folder. It appears when the model is complete and has embedded an image and a
            sentence.

    Raises:
        UserError: There is no such model, it differs from the published one, it exists only as a
            pickle, or the disk has too little space.
    """
    key, folder = f"models.{name}", Path(folder)
    if settings.tag is not None:
        check_pretrained(key, settings)
    if is_here(settings, folder):
        return
    if settings.path is not None:
        local = find_locally(key, settings)
        folder.parent.mkdir(parents=True, exist_ok=True)
        require_space(key, sum(file.stat().st_size for file in local.files), folder.parent)
        files = [Path(settings.path) / CONFIG_FILE, *local.files]
        checksums = {file.name: file_sha256(file) for file in files}
        origin = {"sha256": checksums[local.weights.name], "checksums": checksums}
        _assemble(key, settings, replace(local, origin={**local.origin, **origin}), folder)
        return
    with partial_downloads(key, folder) as downloads:
        found = find_online(key, settings)
        parts = _download(key, settings, found, downloads)
        _assemble(key, settings, parts, folder, found.weights.sha256 is not None)


def is_here(settings: PretrainedModel, folder: Path, by_checksum: bool = True) -> bool:
    """Whether the folder contains this model, with unchanged weights.

    Args:
        settings: The model.
        folder: Model folder, which may be missing.
        by_checksum: Read the weights, which takes seconds per gigabyte.
    """
    record = read_model_provenance(folder)
    files = (folder / CONFIG_FILE, folder / WEIGHTS_FILE)
    same = not differences(settings, record.get("settings", {}))
    if not (same and all(path.is_file() for path in files)):
        return False
    wanted = settings.sha256 in (None, published_sha256(record))
    if not wanted or replaced_source(settings, folder):
        return False
    return not by_checksum or file_sha256(folder / WEIGHTS_FILE) == record.get("sha256")


def _download(
    key: str, settings: PretrainedModel, parts: Parts[RemoteFile], downloads: Path
) -> Parts[Path]:
    """Downloads weights and tokenizer, after a check of the disk space."""
    if "warning" in parts.origin:
        print(f"vlmrm: {key}: warning: {parts.origin['warning']}", file=sys.stderr)
    weights = parts.weights
    space = check_space(key, parts.files, downloads, parts.conversion_bytes)
    print(
        f"vlmrm: {key}: {weights.name} from {weights.url.rsplit('/', 1)[0]}: {space}; "
        f"license {describe_license(parts.origin.get('license'))}",
        file=sys.stderr,
    )
    path, sha256 = download(key, weights, downloads)
    if settings.sha256 not in (None, sha256):
        path.unlink()
        check_sha256(key, str(settings.sha256), sha256, weights.name)
    tokenizer = {n: download(key, file, downloads)[0] for n, file in parts.tokenizer.items()}
    return Parts(parts.config, path, tokenizer, {**parts.origin, "sha256": sha256})


def _assemble(
    key: str, settings: PretrainedModel, parts: Parts[Path], folder: Path, undamaged: bool = True
) -> None:
    """Makes the model folder, which appears after the model has been tried out.

    Weights that are not known to be undamaged are deleted if the model cannot be used.
    """
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        try:
            (temporary / CONFIG_FILE).write_text(json.dumps(parts.config, indent=2) + "\n")
            for name, path in parts.tokenizer.items():
                shutil.copyfile(path, temporary / name)
            if parts.is_pickled:
                _convert(parts.weights, temporary / WEIGHTS_FILE)
            elif settings.path is not None:
                shutil.copyfile(parts.weights, temporary / WEIGHTS_FILE)
            else:
                _place(parts.weights, temporary / WEIGHTS_FILE)
            _try_out(temporary)
            write_model_provenance(
                temporary,
                count_parameters(load_network(temporary)),
                **_learned(settings),
                settings=settings.model_dump(),
                origin=parts.origin,
            )
        except Exception as error:  # open_clip raises anything for malformed files
            refuse_full_disk(key, error)
            cause = error.__cause__ or error
            if lacks_memory(cause):
                raise UserError(
                    f"{key}: too little memory to try the model out; close other programs, or run "
                    "again on a machine with more"
                ) from error
            remedy = "choose another model"
            if not undamaged:
                # Without a published checksum, a damaged file cannot be told from a foreign one.
                parts.weights.unlink(missing_ok=True)
                remedy = "run again to download it once more; if that does not help, " + remedy
            raise UserError(
                f"{key}: open_clip {open_clip.__version__} cannot use it ({one_line(cause)}); "
                f"{remedy}"
            ) from error


def _learned(settings: PretrainedModel) -> dict[str, Any]:
    """What the provenance says of the training: that of a folder of this package stays."""
    if not is_simulator_trained(settings):
        return {"source": "pretrained"}
    record = read_model_provenance(str(settings.path))
    kept = ("corpus", "corpus_run", "initial_sha256", "held_out")
    return {"source": "simulator", **{key: record[key] for key in kept if key in record}}


def _place(downloaded: Path, path: Path) -> None:
    """Puts weights into the folder without copying them.

    On file systems without hard links, they are moved, and downloaded again if a later step fails.
    """
    try:
        path.hardlink_to(downloaded)
    except OSError:  # no hard links
        downloaded.rename(path)


def _try_out(folder: Path) -> None:
    """Loads the model and embeds an image and a sentence."""
    model = ClipModel.load(folder, "cpu")
    image = model.embed_images(np.full((1, 32, 48, 3), 127, np.uint8))
    sentence = model.embed_prompts(["a picture"])
    if image.shape != sentence.shape or not np.isfinite(image @ sentence.T).all():
        raise ValueError(f"embeddings {image.shape} and {sentence.shape}, or not finite")


def _convert(pickled: Path, path: Path) -> None:
    """Converts pickled weights or OpenAI's TorchScript archives to safetensors."""
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            archive = torch.jit.load(str(pickled), map_location="cpu")  # type: ignore[no-untyped-call]
        weights = dict(archive.state_dict())
    except RuntimeError:  # not TorchScript
        weights = open_clip.factory.load_state_dict(str(pickled), weights_only=True)
    for constant in ("input_resolution", "context_length", "vocab_size"):
        weights.pop(constant, None)
    save_file({name: w.detach().clone().contiguous() for name, w in weights.items()}, path)
