"""Models with random weights."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vlmrm.config import RandomModel
from vlmrm.config.architectures import SIM_FOLDER, open_clip_architectures, sim_architectures
from vlmrm.errors import UserError, suggest
from vlmrm.models.folder import CONFIG_FILE, save_model_folder
from vlmrm.models.libraries import open_clip, quiet
from vlmrm.models.preprocessing import SIM_PREPROCESSING


def architecture_config(architecture: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """open_clip's ``model_cfg`` and ``preprocess_cfg`` of an architecture.

    Raises:
        UserError: The architecture is unknown, or its text tower needs a download.
    """
    if architecture in sim_architectures():
        return json.loads((SIM_FOLDER / f"{architecture}.json").read_text()), SIM_PREPROCESSING
    config = open_clip.get_model_config(architecture)
    if config is None:
        known = sim_architectures() + open_clip_architectures()
        raise UserError(f"architecture '{architecture}' is unknown{suggest(architecture, known)}")
    if config.get("text_cfg", {}).get("hf_model_name"):
        raise UserError(
            f"architecture '{architecture}' has a text tower that needs a download; choose another"
        )
    return config, {}


@quiet()
def build_random(
    architecture: str, seed: int, device: str = "cpu"
) -> tuple[nn.Module, dict[str, Any], dict[str, Any]]:
    """Builds a network with random weights; returns it, its ``model_cfg``, and ``preprocess_cfg``.

    On the device ``meta``, the network has shapes but no weights, and takes no memory or time.
    """
    model_config, preprocess_config = architecture_config(architecture)
    with (
        tempfile.TemporaryDirectory() as folder,
        torch.random.fork_rng(devices=[]),
        torch.device(device),
    ):
        config = {"model_cfg": model_config, "preprocess_cfg": preprocess_config}
        Path(folder, CONFIG_FILE).write_text(json.dumps(config))
        torch.manual_seed(seed)
        network = open_clip.create_model(
            f"local-dir:{folder}", load_weights=False, pretrained_text=False, device=device
        )
    return network, model_config, preprocess_config


def make_random_model(settings: RandomModel, folder: str | os.PathLike[str]) -> None:
    """Writes a model with random weights to ``folder``.

    Its tokenizer is always open_clip's own, which needs no files: for random weights, all
    vocabularies are alike.

    Raises:
        UserError: The architecture is unknown, or cannot be used with this tokenizer.
    """
    text = architecture_config(settings.architecture)[0]["text_cfg"]
    if text.get("vocab_size", 0) < open_clip.SimpleTokenizer().vocab_size:
        raise UserError(
            f"architecture '{settings.architecture}' has a vocabulary too small for open_clip's "
            "tokenizer, which random weights use; choose another"
        )
    network, model_config, preprocess_config = build_random(settings.architecture, settings.seed)
    own = {key: value for key, value in text.items() if not key.startswith(("hf_", "tokenizer_"))}
    save_model_folder(
        folder,
        network,
        {**model_config, "text_cfg": own},
        preprocess_config,
        source="random",
        settings=settings.model_dump(),
    )
