"""Published CLIP weights, through open_clip's registry and the official hub client."""

from __future__ import annotations

import os

import open_clip

from vlmrm.config import PretrainedModel
from vlmrm.errors import UserError, suggest
from vlmrm.models.folder import save_model_folder


def fetch_pretrained(settings: PretrainedModel, folder: str | os.PathLike[str]) -> None:
    """Downloads a published model into ``folder``; afterwards it needs no network.

    Raises:
        UserError: open_clip does not know the architecture or tag, or the download failed.
    """
    check_pretrained(settings)
    architecture, tag = settings.architecture, settings.tag
    try:
        network = open_clip.create_model(architecture, pretrained=tag)
        tokenizer = open_clip.get_tokenizer(architecture)
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{architecture}/{tag}: download failed ({reason}); try again") from error
    preprocess = {key: network.visual.preprocess_cfg[key] for key in PREPROCESS_KEYS}
    save_model_folder(
        folder,
        network,
        open_clip.get_model_config(architecture),
        preprocess,
        tokenizer,
        source="pretrained",
        settings=settings.model_dump(),
        registry=open_clip.get_pretrained_cfg(architecture, tag),
    )


PREPROCESS_KEYS = ("size", "mean", "std", "interpolation", "resize_mode", "fill_color")


def check_pretrained(settings: PretrainedModel) -> None:
    """Checks the names against open_clip's registry, without network.

    Raises:
        UserError: The architecture is unknown, or has no weights of that tag.
    """
    architecture, tag = settings.architecture, settings.tag
    known = open_clip.list_models()
    if architecture not in known:
        raise UserError(f"architecture '{architecture}' is unknown{suggest(architecture, known)}")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if tag not in tags:
        raise UserError(f"tag '{tag}' is unknown for {architecture}{suggest(tag, tags)}")
