"""Fetches published CLIP models: from the hub, by tag or repository, or from a local folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import open_clip
import torch
from open_clip.factory import load_state_dict
from open_clip.transform import PreprocessCfg, merge_preprocess_dict
from safetensors.torch import save_file

from vlmrm.config import PretrainedModel
from vlmrm.config.models import differences
from vlmrm.data.files import atomic_path
from vlmrm.errors import UserError, one_line, suggest
from vlmrm.models import hub
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    check_tokenizer,
    file_sha256,
    read_model_provenance,
    write_model_provenance,
)

SAFE = (WEIGHTS_FILE, "open_clip_pytorch_model.safetensors")
PICKLED = ("open_clip_pytorch_model.bin", "open_clip_pytorch_model.pth")
"""File names of open_clip's weights; others in a repository are for other libraries."""

VOCABULARIES = (
    "tokenizer.json",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
TOKENIZER_FILES = (
    *VOCABULARIES,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "config.json",  # older repositories name the tokenizer's class nowhere else
)
"""File names of a tokenizer; every tokenizer has a vocabulary."""

File = TypeVar("File", Path, hub.RemoteFile)


@dataclass(frozen=True)
class _Parts:
    """The parts of a model folder.

    Attributes:
        config: ``model_cfg`` and ``preprocess_cfg`` of open_clip.
        weights: File of the published weights.
        tokenizer: Files of the tokenizer by name; empty for open_clip's own.
        origin: Source of the model, for the provenance.
    """

    config: dict[str, Any]
    weights: Path
    tokenizer: dict[str, Path]
    origin: dict[str, Any]


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
    if _is_here(settings, folder):
        return
    if settings.path is not None:
        parts = _from_folder(key, settings)
        folder.parent.mkdir(parents=True, exist_ok=True)
        hub.require_space(key, parts.weights.stat().st_size, folder.parent)
        _assemble(key, settings, parts, folder)
        return
    with hub.partial_downloads(key, folder) as downloads:
        fetch = _from_registry if settings.tag is not None else _from_repository
        _assemble(key, settings, fetch(key, settings, downloads), folder)


def check_pretrained(key: str, settings: PretrainedModel) -> None:
    """Checks architecture and tag against open_clip's registry, without network.

    Raises:
        UserError: The architecture is unknown or has no weights with this tag.
    """
    architecture, tag = str(settings.architecture), str(settings.tag)
    known = open_clip.list_models()
    if architecture not in known:
        hint = suggest(architecture, known)
        raise UserError(f"{key}.architecture: '{architecture}' is unknown{hint}")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if tag not in tags:
        raise UserError(f"{key}.tag: '{tag}' is unknown for {architecture}{suggest(tag, tags)}")


def mismatched_activation(architecture: str, tag: str) -> str | None:
    """A warning if the weights were trained with another activation than the architecture's.

    Such weights work, but worse than published. open_clip warns only when it downloads the weights
    itself.
    """
    trained = open_clip.get_pretrained_cfg(architecture, tag).get("quick_gelu", False)
    built = (open_clip.get_model_config(architecture) or {}).get("quick_gelu", False)
    if trained == built:
        return None
    names = {True: "QuickGELU", False: "GELU"}
    fitting = architecture.removesuffix("-quickgelu") if built else f"{architecture}-quickgelu"
    hint = f"; use {fitting}" if fitting in open_clip.list_models() else ""
    return (
        f"{tag} was trained with {names[trained]}, but {architecture} is built with "
        f"{names[built]}{hint}"
    )


def _is_here(settings: PretrainedModel, folder: Path) -> bool:
    """Whether the folder contains this model, with unchanged weights."""
    record = read_model_provenance(folder)
    files = (folder / CONFIG_FILE, folder / WEIGHTS_FILE)
    same = not differences(settings, record.get("settings", {}))
    if not (same and all(path.is_file() for path in files)):
        return False
    published = record["origin"].get("sha256", record["sha256"])
    if settings.sha256 not in (None, published):
        return False
    return file_sha256(folder / WEIGHTS_FILE) == record["sha256"]


def registered_config(architecture: str, tag: str) -> dict[str, Any]:
    """``model_cfg`` and ``preprocess_cfg`` of published weights in open_clip's registry."""
    model_config = open_clip.get_model_config(architecture)
    registered = open_clip.get_pretrained_cfg(architecture, tag)
    preprocess = merge_preprocess_dict(asdict(PreprocessCfg()), registered)
    # The registry leaves out the image size.
    preprocess["size"] = model_config["vision_cfg"]["image_size"]
    return {"model_cfg": model_config, "preprocess_cfg": preprocess}


def _from_registry(key: str, settings: PretrainedModel, downloads: Path) -> _Parts:
    """Downloads a model by architecture and tag, from where open_clip's registry has it."""
    registered = open_clip.get_pretrained_cfg(settings.architecture, settings.tag)
    config = registered_config(str(settings.architecture), str(settings.tag))
    mismatch = mismatched_activation(str(settings.architecture), str(settings.tag))
    if mismatch is not None:
        print(f"vlmrm: {key}: warning: {mismatch}", file=sys.stderr)
    url = registered.get("url", "")
    origin: dict[str, Any]
    if settings.allow_pickle and "openaipublic" in url:
        # OpenAI's own archive; the weights on the hub were converted by others.
        if settings.revision is not None:
            raise UserError(f"{key}.revision: OpenAI's archives have no revisions; remove it")
        weights, origin = hub.look_up_url(key, url, sha256=url.split("/")[-2]), {"url": url}
        repository = None
    else:
        name, file = os.path.split(registered["hf_hub"])
        repository = hub.look_up(key, name, settings.revision)
        weights = _choose_weights(key, settings, repository, file)
        origin = repository.origin
    if mismatch is not None:
        origin["warning"] = mismatch
    return _download(key, settings, config, weights, repository, origin, downloads)


def _from_repository(key: str, settings: PretrainedModel, downloads: Path) -> _Parts:
    """Downloads a model from a repository of the hub, in open_clip's layout."""
    repository = hub.look_up(key, str(settings.repository), settings.revision)
    if CONFIG_FILE not in repository.files:
        raise UserError(
            f"{key}.repository: {repository.name} has no {CONFIG_FILE}; it must contain a model "
            "for open_clip"
        )
    weights = _choose_weights(key, settings, repository)
    config = _read_config(key, hub.download(key, repository.files[CONFIG_FILE], downloads))
    origin = repository.origin
    return _download(key, settings, config, weights, repository, origin, downloads)


def _from_folder(key: str, settings: PretrainedModel) -> _Parts:
    """Takes a model from a local folder, in open_clip's layout."""
    source = Path(str(settings.path))
    if not (source / CONFIG_FILE).is_file():
        raise UserError(
            f"{key}.path: {source} has no {CONFIG_FILE}; it must be a folder for open_clip"
        )
    files = {path.name: path for path in source.iterdir() if path.is_file()}
    weights = files[_choose_name(key, settings, files, str(source))]
    if settings.sha256 is not None:
        _compare(key, settings.sha256, file_sha256(weights), str(weights))
    config = _read_config(key, source / CONFIG_FILE)
    tokenizer = {}
    if _tokenizer_name(key, config) is not None:
        tokenizer = _choose_tokenizer(key, files, str(source))
    return _Parts(config, weights, tokenizer, {"path": str(source.resolve())})


def _read_config(key: str, path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text())
        return {
            "model_cfg": config["model_cfg"],
            "preprocess_cfg": merge_preprocess_dict(
                asdict(PreprocessCfg()), config.get("preprocess_cfg", {})
            ),
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{key}: its {CONFIG_FILE} is not a configuration of open_clip") from error


def _tokenizer_name(key: str, config: dict[str, Any]) -> str | None:
    """The repository of the tokenizer; None for open_clip's own.

    Raises:
        UserError: The text tower would need a download at every start.
    """
    text: dict[str, Any] = config["model_cfg"].get("text_cfg", {})
    if text.get("hf_model_name"):
        raise UserError(
            f"{key}: its text tower, {text['hf_model_name']}, does not work without network; "
            "choose another model"
        )
    name: str | None = text.get("hf_tokenizer_name")
    if name:
        check_tokenizer(key, config)
    return name or None


def _choose_weights(
    key: str, settings: PretrainedModel, repository: hub.Repository, named: str = ""
) -> hub.RemoteFile:
    name = _choose_name(key, settings, repository.files, repository.name, named)
    weights = repository.files[name]
    if settings.sha256 is not None and weights.sha256 is not None:
        _compare(key, settings.sha256, weights.sha256, f"{repository.name}/{name}")
    return weights


def _choose_name(
    key: str, settings: PretrainedModel, names: Container[str], place: str, named: str = ""
) -> str:
    """Name of the file with the weights: safetensors, or a pickle if the user allows it."""
    safe = (f"{Path(named).stem}.safetensors",) if named else SAFE
    pickled = (named,) if named else PICKLED
    for name in safe + (pickled if settings.allow_pickle else ()):
        if name in names:
            return name
    for name in pickled:
        if name in names:
            raise UserError(
                f"{key}.allow_pickle: {place} has its weights only as a pickle ({name}), which can "
                "run code; set this to true if you trust its authors"
            )
    raise UserError(f"{key}: {place} has no {' or '.join(safe)}; choose another model")


def _choose_tokenizer(key: str, files: Mapping[str, File], place: str) -> dict[str, File]:
    """Selects the files of a tokenizer."""
    if not set(VOCABULARIES) & set(files):
        raise UserError(
            f"{key}: {place} has no tokenizer ({', '.join(VOCABULARIES)}); choose another model"
        )
    return {name: files[name] for name in TOKENIZER_FILES if name in files}


def _compare(key: str, wanted: str, found: str, name: str) -> None:
    if found != wanted:
        raise UserError(
            f"{key}.sha256: {name} has {found}, not {wanted}; correct this key, or do not use it"
        )


def _download(
    key: str,
    settings: PretrainedModel,
    config: dict[str, Any],
    weights: hub.RemoteFile,
    repository: hub.Repository | None,
    origin: dict[str, Any],
    downloads: Path,
) -> _Parts:
    """Downloads weights and tokenizer, after a check of the disk space."""
    tokenizer: dict[str, hub.RemoteFile] = {}
    name = _tokenizer_name(key, config)
    if name is not None:
        source = repository
        if source is None or not set(VOCABULARIES) & set(source.files):
            source = hub.look_up(key, name, None)
        tokenizer = _choose_tokenizer(key, source.files, source.name)
        origin = {**origin, "tokenizer": source.origin}
    # A pickle is converted, which takes its size again.
    extra = 0 if weights.name.endswith(".safetensors") else weights.size or 0
    space = hub.check_space(key, [weights, *tokenizer.values()], downloads, extra)
    print(
        f"vlmrm: {key}: {weights.name} from {weights.url.rsplit('/', 1)[0]}: {space}; "
        f"{hub.describe_license(origin.get('license'))}",
        file=sys.stderr,
    )
    path = hub.download(key, weights, downloads)
    sha256 = file_sha256(path)
    if settings.sha256 is not None and sha256 != settings.sha256:
        path.unlink()
        _compare(key, settings.sha256, sha256, weights.name)
    return _Parts(
        config=config,
        weights=path,
        tokenizer={n: hub.download(key, file, downloads) for n, file in tokenizer.items()},
        origin={**origin, "file": weights.name, "sha256": sha256},
    )


def _assemble(key: str, settings: PretrainedModel, parts: _Parts, folder: Path) -> None:
    """Makes the model folder, which appears after the model has been tried out."""
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        try:
            (temporary / CONFIG_FILE).write_text(json.dumps(parts.config, indent=2) + "\n")
            for name, path in parts.tokenizer.items():
                shutil.copyfile(path, temporary / name)
            if not parts.weights.name.endswith(".safetensors"):
                _convert(parts.weights, temporary / WEIGHTS_FILE)
            elif settings.path is not None:
                shutil.copyfile(parts.weights, temporary / WEIGHTS_FILE)
            else:
                _place(parts.weights, temporary / WEIGHTS_FILE)
            model = _try_out(temporary)
            write_model_provenance(
                temporary,
                model.network,
                source="pretrained",
                settings=settings.model_dump(),
                origin=parts.origin,
            )
        except Exception as error:  # open_clip raises anything for malformed files
            hub.refuse_full_disk(key, error)
            cause = error.__cause__ or error
            if _lacks_memory(cause):
                raise UserError(
                    f"{key}: too little memory to try the model out; close other programs, or run "
                    "again on a machine with more"
                ) from error
            remedy = "choose another model"
            if settings.path is None:
                # Without a published checksum, a damaged file cannot be told from a foreign one.
                parts.weights.unlink(missing_ok=True)
                remedy = "run again to download it once more; if that does not help, " + remedy
            raise UserError(
                f"{key}: open_clip {open_clip.__version__} cannot use it ({one_line(cause)}); "
                f"{remedy}"
            ) from error


def _lacks_memory(error: BaseException) -> bool:
    """Whether memory ran out; PyTorch says so in words alone."""
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error)


def _place(downloaded: Path, path: Path) -> None:
    """Puts weights into the folder without copying them.

    On file systems without hard links, they are moved, and downloaded again if a later step fails.
    """
    try:
        path.hardlink_to(downloaded)
    except OSError:  # no hard links
        downloaded.rename(path)


def _try_out(folder: Path) -> ClipModel:
    """Loads the model and embeds an image and a sentence."""
    model = ClipModel.load(folder, "cpu")
    image = model.embed_images(np.full((1, 32, 48, 3), 127, np.uint8))
    sentence = model.embed_prompts(["a picture"])
    if image.shape != sentence.shape or not np.isfinite(image @ sentence.T).all():
        raise ValueError(f"embeddings {image.shape} and {sentence.shape}, or not finite")
    return model


def _convert(pickled: Path, path: Path) -> None:
    """Converts pickled weights or OpenAI's TorchScript archives to safetensors."""
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            archive = torch.jit.load(str(pickled), map_location="cpu")  # type: ignore[no-untyped-call]
        weights = dict(archive.state_dict())
    except RuntimeError:  # not TorchScript
        weights = load_state_dict(str(pickled), weights_only=True)
    for constant in ("input_resolution", "context_length", "vocab_size"):
        weights.pop(constant, None)
    save_file({name: w.detach().clone().contiguous() for name, w in weights.items()}, path)
