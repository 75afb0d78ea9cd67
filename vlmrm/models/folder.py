"""A CLIP model as a folder, whatever its source.

The folder has open_clip's own layout (``open_clip_config.json``, ``open_clip_model.safetensors``,
tokenizer files if the tokenizer needs any) and ``provenance.json``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmrm.config import FunctionModel, PackagedModel, PretrainedModel
from vlmrm.config.architectures import WEIGHTS_FOLDER, packaged_models
from vlmrm.data.files import atomic_path, reading
from vlmrm.data.provenance import provenance
from vlmrm.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from vlmrm.config.base import ConfigModel
    from vlmrm.config.models import Model

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
PROVENANCE_FILE = "provenance.json"
SIMULATOR_TRAINED = ("packaged", "simulator")
"""Sources of models that were trained on these environments."""
TOKENIZER_OPTIONS = {"clean", "strip_sep_token", "language"}
"""Arguments of open_clip's tokenizers that are not those of transformers."""

MAKE_AGAIN = "delete the model folder and make it again"
"""What to do about a damaged model."""

MODELS = Path("resources/models")
"""Folder of the workflow's model folders."""


def find_model_folder(folder: str | os.PathLike[str]) -> Path:
    """The model folder of this path, or else that of the packaged model of this name.

    Raises:
        UserError: There is neither.
    """
    folder = Path(folder)
    if folder.is_dir():
        return folder
    if str(folder) in packaged_models():
        return WEIGHTS_FOLDER / folder
    raise UserError(
        f"{folder}: no such model folder; make it with `vlmrm fetch-model` or `train-model`, "
        f"or name a packaged model ({', '.join(packaged_models())})"
    )


def folders_by_name(models: Iterable[str | os.PathLike[str]]) -> dict[str, Path]:
    """Model folders, as `check_model_folder` finds them, by the names that tables give them.

    Raises:
        UserError: As there, or two folders have the same name.
    """
    folders: dict[str, Path] = {}
    for model in models:
        folder = check_model_folder(model)
        name = folder.absolute().name
        if folders.setdefault(name, folder) != folder:
            raise UserError(f"--model: two folders are named '{name}'; rename one")
    return folders


def partial_folder(folder: Path) -> Path:
    """Folder of partial downloads of a model folder."""
    return folder.with_name(f".{folder.name}.download")


def check_model_folder(folder: str | os.PathLike[str]) -> Path:
    """Checks that a folder contains a model, and returns its path.

    Args:
        folder: A model folder, or the name of a packaged model such as ``sim-M``.

    Raises:
        UserError: The folder, its configuration, its weights, or a library for its tokenizer is
            missing, the configuration is damaged, or parts of the model are elsewhere.
    """
    folder = find_model_folder(folder)
    match read_model_provenance(folder).get("source"):
        case "function":
            raise UserError(
                f"{folder}: is a function without weights; use `vlmrm score-frames` with it"
            )
        case "ensemble":
            raise UserError(
                f"{folder}: is an ensemble, which has no weights; name one of its members"
            )
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            ours = (folder / PROVENANCE_FILE).is_file()
            remedy = MAKE_AGAIN if ours else "it must be a model folder of open_clip's form"
            raise UserError(f"{folder}: no {name}; {remedy}")
    config = _read_json(folder / CONFIG_FILE)
    with reading(folder / CONFIG_FILE, MAKE_AGAIN):
        check_self_contained(folder, config)
    return folder


def check_files(folder: Path) -> None:
    """Checks that the files of a model folder are those that its provenance describes.

    Raises:
        UserError: A file is another, or missing.
    """
    record = read_model_provenance(folder)
    expected = {WEIGHTS_FILE: record.get("sha256"), **record.get("files", {})}
    for name, sha256 in expected.items():
        path = folder / name
        if not path.is_file():
            raise UserError(f"{folder}: no {name}; {MAKE_AGAIN}")
        with reading(path, MAKE_AGAIN):
            same = sha256 is None or file_sha256(path) == sha256
        if not same:
            raise UserError(f"{path}: its checksum is not that of {PROVENANCE_FILE}; {MAKE_AGAIN}")


def save_model_folder(
    folder: str | os.PathLike[str],
    network: nn.Module,
    model_config: dict[str, Any],
    preprocess_config: dict[str, Any],
    **context: Any,
) -> None:
    """Writes a model in open_clip's layout, whole or not at all.

    Args:
        folder: Output folder; replaced if it exists.
        network: The open_clip model.
        model_config: Its ``model_cfg``, with a tokenizer that needs no files.
        preprocess_config: Its ``preprocess_cfg``.
        context: Added to the provenance (source, settings).
    """
    from safetensors.torch import save_file

    with atomic_path(folder) as temporary:
        temporary.mkdir()
        config = {"model_cfg": model_config, "preprocess_cfg": preprocess_config}
        (temporary / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n")
        weights = temporary / WEIGHTS_FILE
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, weights)
        write_model_provenance(temporary, count_parameters(network), **context)


def write_model_provenance(folder: Path, parameters: Mapping[str, int], **context: Any) -> None:
    """Writes ``provenance.json``: checksums of the files, parameters, and ``context``."""
    files = {path.name: file_sha256(path) for path in sorted(folder.iterdir())}
    sha256 = files.pop(WEIGHTS_FILE, None)  # an ensemble has none
    record = provenance(sha256=sha256, files=files, parameters=parameters, **context)
    (folder / PROVENANCE_FILE).write_text(json.dumps(record, indent=2, default=str) + "\n")


def save_function_folder(folder: str | os.PathLike[str], function: FunctionModel) -> None:
    """Writes the folder of a function, which has no weights: ``provenance.json`` alone."""
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        record = provenance(source=function.source, settings=function.model_dump())
        (temporary / PROVENANCE_FILE).write_text(json.dumps(record, indent=2) + "\n")


def file_sha256(path: Path) -> str:
    """SHA-256 checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_sha256(folder: Path) -> str:
    """SHA-256 checksum of the weights of a model that was loaded, whose files are checked."""
    recorded: str | None = read_model_provenance(folder).get("sha256")
    return recorded or file_sha256(folder / WEIGHTS_FILE)


def published_sha256(record: Mapping[str, Any]) -> str | None:
    """SHA-256 checksum of the published weights, by the provenance of a model folder."""
    recorded: str | None = record.get("origin", {}).get("sha256", record.get("sha256"))
    return recorded


def replaced_source(model: ConfigModel, folder: Path) -> Path | None:
    """A file whose content is no longer what a model folder was made of.

    Looks at local folders and at packaged models. What is published at a commit stays the same.

    Args:
        model: The model in the configuration.
        folder: Its folder, which may be missing.

    Raises:
        UserError: The provenance of the folder is damaged.
    """
    record = read_model_provenance(folder)
    file = folder / PROVENANCE_FILE
    with reading(file):
        if isinstance(model, PackagedModel):
            source = WEIGHTS_FOLDER / model.architecture
            packaged = read_model_provenance(source)["sha256"]
            return source / WEIGHTS_FILE if record.get("sha256", packaged) != packaged else None
        if not isinstance(model, PretrainedModel) or model.path is None:
            return None
        for name, sha256 in record.get("origin", {}).get("checksums", {}).items():
            source = Path(model.path) / name
            # Whatever replaces a file changes this time, and gigabytes are seconds to read.
            made = datetime.fromisoformat(record["created"]).timestamp()
            newer = source.is_file() and source.stat().st_ctime >= made
            if newer and file_sha256(source) != sha256:
                return source
    return None


def check_self_contained(key: str | Path, config: dict[str, Any]) -> None:
    """Checks that a model can be loaded here, from its files alone.

    open_clip would download what a configuration names elsewhere, and pass any argument on to
    transformers, which may run code of a tokenizer's authors.

    Args:
        key: Key or path that the error names.
        config: Content of ``open_clip_config.json``.

    Raises:
        UserError: A part is elsewhere, or the library of the tokenizer is missing.
    """
    vision = config.get("model_cfg", {}).get("vision_cfg", {})
    text = config.get("model_cfg", {}).get("text_cfg", {})
    elsewhere = {"text": text.get("hf_model_name")}
    if set(":/") & set(vision.get("timm_model_name") or ""):  # otherwise, a part of timm
        elsewhere["image"] = vision["timm_model_name"]
    for tower, name in elsewhere.items():
        if name:
            raise UserError(
                f"{key}: its {tower} tower, {name}, does not work without network; choose another "
                "model"
            )
    for name in (text.get("tokenizer_kwargs") or {}).keys() - TOKENIZER_OPTIONS:
        raise UserError(
            f"{key}: its tokenizer is made with '{name}', which may run code; choose another model"
        )
    if text.get("hf_tokenizer_name") and importlib.util.find_spec("transformers") is None:
        raise UserError(
            f"{key}: its tokenizer needs the library transformers; install it with "
            "`pip install transformers`"
        )


def read_model_provenance(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads ``provenance.json`` of a model folder; empty if there is none.

    Raises:
        UserError: The file is damaged.
    """
    path = Path(folder) / PROVENANCE_FILE
    record = _read_json(path) if path.is_file() else {}
    if not all(isinstance(record.get(name, {}), dict) for name in ("settings", "origin", "files")):
        raise UserError(f"{path}: damaged; {MAKE_AGAIN}")
    return record


def is_simulator_trained(model: Model, copy: Path | None = None) -> bool:
    """Whether a model was trained on these environments, so that nothing it shows is zero-shot.

    A folder of one's own says so in its provenance, wherever it was made.

    Args:
        model: The model in the configuration.
        copy: The folder to which a run has copied it: its own may be gone since.

    Raises:
        UserError: The provenance is damaged.
    """
    if isinstance(model, PretrainedModel):
        record = read_model_provenance(copy) if copy is not None else {}
        if not record and model.path is not None:
            record = read_model_provenance(model.path)
        return record.get("source") in SIMULATOR_TRAINED
    return model.source in SIMULATOR_TRAINED


def has_read_shipped_captions(folder: Path) -> bool:
    """Whether the captions that a model was trained on are those of the package.

    Raises:
        UserError: The provenance is damaged.
    """
    record = read_model_provenance(folder)
    with reading(folder / PROVENANCE_FILE):
        own = bool((record.get("corpus") or {}).get("captions"))
    return record.get("source") in SIMULATOR_TRAINED and not own


def _read_json(path: Path) -> dict[str, Any]:
    with reading(path, MAKE_AGAIN):
        content = json.loads(path.read_text())
        if not isinstance(content, dict):
            raise ValueError("not a JSON object")
        return content


def count_parameters(network: nn.Module) -> dict[str, int]:
    """Number of parameters of the image tower and of everything else."""
    image = _count(network.visual.parameters())  # type: ignore[union-attr]
    return {"image": image, "text": _count(network.parameters()) - image}


def _count(parameters: Iterable[Tensor]) -> int:
    return sum(p.numel() for p in parameters)
