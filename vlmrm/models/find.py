"""Finds published CLIP models: their files and licenses, without downloading the weights."""

from __future__ import annotations

import json
import os
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from vlmrm.config import PretrainedModel
from vlmrm.errors import UserError, suggest
from vlmrm.models.folder import CONFIG_FILE, WEIGHTS_FILE, check_self_contained, file_sha256
from vlmrm.models.hub.download import read
from vlmrm.models.hub.repository import RemoteFile, Repository, look_up, look_up_url
from vlmrm.models.libraries import open_clip

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

File = TypeVar("File", Path, RemoteFile)


@dataclass(frozen=True)
class Parts(Generic[File]):
    """The parts of a model folder.

    Attributes:
        config: ``model_cfg`` and ``preprocess_cfg`` of open_clip.
        weights: File of the published weights.
        tokenizer: Files of the tokenizer by name; empty for open_clip's own.
        origin: Source of the model, for the provenance.
    """

    config: dict[str, Any]
    weights: File
    tokenizer: dict[str, File]
    origin: dict[str, Any]

    @property
    def files(self) -> list[File]:
        """Weights and tokenizer."""
        files = [self.weights]
        files.extend(self.tokenizer.values())
        return files

    @property
    def is_pickled(self) -> bool:
        """Whether the weights are a pickle, which is converted."""
        return not self.weights.name.endswith(".safetensors")

    @property
    def conversion_bytes(self) -> int:
        """Bytes that the conversion of a pickle takes: its size once more."""
        size = self.weights.stat().st_size if isinstance(self.weights, Path) else self.weights.size
        return (size or 0) * self.is_pickled


def find_online(key: str, settings: PretrainedModel) -> Parts[RemoteFile]:
    """Finds the files of a model by its tag or repository; takes a request or two.

    Args:
        key: Key of the model in the configuration.
        settings: The model.

    Raises:
        UserError: There is no such model, it differs from the published one, exists only as a
            pickle, or cannot be looked up.
    """
    find = _find_in_registry if settings.tag is not None else _find_in_repository
    return find(key, settings)


def find_locally(key: str, settings: PretrainedModel) -> Parts[Path]:
    """Finds the files of a model in a local folder, in open_clip's layout.

    Raises:
        UserError: The folder has no such model, or the model differs from the published one.
    """
    source = Path(str(settings.path))
    if not (source / CONFIG_FILE).is_file():
        raise UserError(
            f"{key}.path: {source} has no {CONFIG_FILE}; it must be a folder for open_clip"
        )
    files = {path.name: path for path in source.iterdir() if path.is_file()}
    weights = files[_choose_name(key, settings, files, str(source))]
    if settings.sha256 is not None:
        check_sha256(key, settings.sha256, file_sha256(weights), str(weights))
    config = _parse_config(key, (source / CONFIG_FILE).read_bytes())
    tokenizer = {}
    if _tokenizer_name(key, config) is not None:
        tokenizer = _choose_tokenizer(key, files, str(source))
    origin = {"path": str(source.resolve()), "file": weights.name}
    return Parts(config, weights, tokenizer, origin)


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


def registered_config(architecture: str, tag: str) -> dict[str, Any]:
    """``model_cfg`` and ``preprocess_cfg`` of published weights in open_clip's registry."""
    model_config = open_clip.get_model_config(architecture)
    registered = open_clip.get_pretrained_cfg(architecture, tag)
    preprocess = open_clip.transform.merge_preprocess_dict(
        asdict(open_clip.transform.PreprocessCfg()), registered
    )
    # The registry leaves out the image size.
    preprocess["size"] = model_config["vision_cfg"]["image_size"]
    return {"model_cfg": model_config, "preprocess_cfg": preprocess}


def _find_in_registry(key: str, settings: PretrainedModel) -> Parts[RemoteFile]:
    """Finds a model by architecture and tag, where open_clip's registry has it."""
    check_pretrained(key, settings)
    registered = open_clip.get_pretrained_cfg(settings.architecture, settings.tag)
    config = registered_config(str(settings.architecture), str(settings.tag))
    url = registered.get("url", "")
    origin: dict[str, Any]
    if settings.allow_pickle and "openaipublic" in url:
        # OpenAI's own archive; the weights on the hub were converted by others.
        if settings.revision is not None:
            raise UserError(f"{key}.revision: OpenAI's archives have no revisions; remove it")
        weights, origin = look_up_url(key, url, sha256=url.split("/")[-2]), {"url": url}
        repository = None
    else:
        name, file = os.path.split(registered["hf_hub"])
        repository = look_up(key, name, settings.revision)
        weights = _choose_weights(key, settings, repository, file)
        origin = repository.origin
    mismatch = mismatched_activation(str(settings.architecture), str(settings.tag))
    if mismatch is not None:
        origin["warning"] = mismatch
    return _with_tokenizer(key, config, weights, repository, origin)


def _find_in_repository(key: str, settings: PretrainedModel) -> Parts[RemoteFile]:
    """Finds a model in a repository of the hub, in open_clip's layout."""
    repository = look_up(key, str(settings.repository), settings.revision)
    if CONFIG_FILE not in repository.files:
        raise UserError(
            f"{key}.repository: {repository.name} has no {CONFIG_FILE}; it must contain a model "
            "for open_clip"
        )
    weights = _choose_weights(key, settings, repository)
    config = _parse_config(key, read(key, repository.files[CONFIG_FILE]))
    return _with_tokenizer(key, config, weights, repository, repository.origin)


def _with_tokenizer(
    key: str,
    config: dict[str, Any],
    weights: RemoteFile,
    repository: Repository | None,
    origin: dict[str, Any],
) -> Parts[RemoteFile]:
    """Adds the tokenizer's files, which may be in a repository of their own."""
    tokenizer: dict[str, RemoteFile] = {}
    name = _tokenizer_name(key, config)
    if name is not None:
        source = repository
        if source is None or not set(VOCABULARIES) & set(source.files):
            source = look_up(key, name, None)
        tokenizer = _choose_tokenizer(key, source.files, source.name)
        origin = {**origin, "tokenizer": source.origin}
    return Parts(config, weights, tokenizer, {**origin, "file": weights.name})


def _parse_config(key: str, content: bytes) -> dict[str, Any]:
    try:
        config = json.loads(content)
        model = config["model_cfg"]
        return {
            "model_cfg": {
                **model,
                "vision_cfg": {**model["vision_cfg"]},
                "text_cfg": {**model["text_cfg"]},
            },
            "preprocess_cfg": open_clip.transform.merge_preprocess_dict(
                asdict(open_clip.transform.PreprocessCfg()), config.get("preprocess_cfg", {})
            ),
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{key}: its {CONFIG_FILE} is not a configuration of open_clip") from error


def _tokenizer_name(key: str, config: dict[str, Any]) -> str | None:
    """The repository of the tokenizer; None for open_clip's own.

    Raises:
        UserError: The model is not self-contained.
    """
    check_self_contained(key, config)
    return config["model_cfg"].get("text_cfg", {}).get("hf_tokenizer_name") or None


def _choose_weights(
    key: str, settings: PretrainedModel, repository: Repository, named: str = ""
) -> RemoteFile:
    name = _choose_name(key, settings, repository.files, repository.name, named)
    weights = repository.files[name]
    if settings.sha256 is not None and weights.sha256 is not None:
        check_sha256(key, settings.sha256, weights.sha256, f"{repository.name}/{name}")
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


def check_sha256(key: str, wanted: str, found: str, name: str) -> None:
    """Compares the checksum of weights with that of the configuration.

    Raises:
        UserError: They differ.
    """
    if found != wanted:
        raise UserError(
            f"{key}.sha256: {name} has {found}, not {wanted}; correct this key, or do not use it"
        )
