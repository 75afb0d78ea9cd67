"""Trains a small CLIP model on frames and their captions.

Two towers learn to find the matching images and sentences of a batch, as in CLIP (Radford et al.
2021, "Learning Transferable Visual Models From Natural Language Supervision").
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from vlmrm.config import SimulatorModel
from vlmrm.data.files import read_provenance
from vlmrm.errors import UserError, blaming
from vlmrm.models.clip import ClipModel, choose_device
from vlmrm.models.folder import check_model_folder, save_model_folder, weights_sha256
from vlmrm.models.lengths import check_lengths
from vlmrm.models.libraries import open_clip
from vlmrm.models.network import load_network, loading
from vlmrm.models.preprocessing import Preprocessing
from vlmrm.models.random_init import build_random
from vlmrm.pretraining.batches import Batches, distances_by_column
from vlmrm.pretraining.captioned import CaptionedPart
from vlmrm.pretraining.corpus import read_corpus
from vlmrm.pretraining.held_out import evaluate_held_out
from vlmrm.pretraining.loss import agreement, contrastive_loss
from vlmrm.pretraining.part import Part
from vlmrm.terminal.bars import bar

TEXT_RATE = 0.4
"""Learning rate of the text tower relative to the image tower's, at which it would diverge."""

BETA1 = (0.85, 0.95)
"""AdamW's first beta at the peak of the learning rate, and at both ends of the schedule."""
BETA2 = 0.98
"""AdamW's second beta, as in the original CLIP."""

WEIGHT_DECAY = 0.05
MAXIMUM_LOGIT_SCALE = 100.0
"""Upper bound of the inverse temperature, as in the original CLIP."""

SHIFT = 4
"""Largest random shift of a training image in pixels."""

WORKERS = 4
"""Processes that write captions for a GPU. A CPU is busy with the towers."""

REPORT_EVERY = 20
"""Steps between two reports of the loss."""


def train_model(
    settings: SimulatorModel,
    corpus: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    device: str = "auto",
    initial_model: str | os.PathLike[str] | None = None,
) -> None:
    """Trains a model on a corpus and writes its folder.

    The provenance contains the accuracy on held-out frames. Training is deterministic for a given
    seed, machine, and number of threads.

    Args:
        settings: Architecture, epochs, batch size, learning rate, and seed.
        corpus: File of `make_corpus` or `make_captioned_corpus`.
        folder: Output folder.
        device: A torch device, or ``auto``.
        initial_model: Model folder of the same architecture, whose weights the training starts
            from; by default, they are random.

    Raises:
        UserError: The corpus or the initial model cannot be read, the latter is of another
            architecture, or the training diverges.
    """
    parts = read_corpus(corpus)
    target = choose_device(device)
    network, model_config, preprocess_config = build_random(settings.architecture, settings.seed)
    initial_sha256 = None
    if initial_model is not None:
        initial_sha256 = _copy_weights(initial_model, network, settings.architecture)
    preprocess_config = {**preprocess_config, "size": model_config["vision_cfg"]["image_size"]}
    preprocessing = Preprocessing.from_open_clip(preprocess_config)
    tokenizer = open_clip.SimpleTokenizer(context_length=model_config["text_cfg"]["context_length"])
    for part in parts:
        if isinstance(part, CaptionedPart):
            with blaming(f"corpora.{settings.corpus}.captions"):
                check_lengths(tokenizer, part.sentences, settings.architecture)
    training, held_out = zip(*(part.split() for part in parts), strict=True)
    del part, parts  # gigabytes, of which these are copies
    # On a CPU, convolutions are a fifth faster in this format.
    network = network.to(target).to(memory_format=torch.channels_last)
    _fit(network, list(training), tokenizer, preprocessing, settings)
    # `ClipModel` moves the image tower alone back to the GPU.
    model = ClipModel(settings.architecture, network.cpu(), tokenizer, preprocessing, target)
    recognition = evaluate_held_out(model, list(held_out))
    origin = read_provenance(corpus)
    save_model_folder(
        folder,
        network.to("cpu"),
        model_config,
        preprocess_config,
        source="simulator",
        settings=settings.model_dump(),
        corpus=origin.get("settings"),
        corpus_run=origin.get("run"),
        initial_sha256=initial_sha256,
        held_out=recognition,
    )


def _copy_weights(
    folder: str | os.PathLike[str], network: torch.nn.Module, architecture: str
) -> str:
    """Copies the weights of a model folder into a network; returns their checksum."""
    folder = check_model_folder(folder)
    with loading(folder):
        weights = load_network(folder).state_dict()
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:  # torch raises nothing more specific
        raise UserError(
            f"{folder}: its weights are not those of {architecture}; name an initial_model of this "
            "architecture"
        ) from error
    return weights_sha256(folder)


def _fit(
    network: Any,
    parts: list[Part],
    tokenizer: open_clip.SimpleTokenizer,
    preprocessing: Preprocessing,
    settings: SimulatorModel,
) -> None:
    steps = settings.epochs * max(1, sum(len(p.images) for p in parts) // settings.batch_size)
    image_tower = list(network.visual.parameters())
    others = [p for name, p in network.named_parameters() if not name.startswith("visual.")]
    optimizer = torch.optim.AdamW(
        [{"params": image_tower}, {"params": others}],
        betas=(BETA1[1], BETA2),
        weight_decay=WEIGHT_DECAY,
        fused=True,  # four times as fast: most parameters are word embeddings
    )
    peaks = [settings.learning_rate, TEXT_RATE * settings.learning_rate]
    # At exactly one step of warm-up, torch divides by zero.
    warm_up = max(0.1, 1.5 / steps) if steps > 1 else 0.1
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        peaks,
        total_steps=steps,
        pct_start=warm_up,
        base_momentum=BETA1[0],
        max_momentum=BETA1[1],
    )
    device = next(network.parameters()).device
    gpu = device.type == "cuda"
    batches = Batches(parts, tokenizer, settings.batch_size, steps, settings.seed)
    # Forked processes share the frames with this one, instead of a copy for each.
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=WORKERS * gpu,
        pin_memory=gpu,
        multiprocessing_context="fork" if gpu else None,
    )
    images = torch.cat([torch.from_numpy(part.images) for part in parts]).to(device)
    distances = torch.from_numpy(distances_by_column(parts)).to(device)
    rng = np.random.default_rng(settings.seed)
    network.train()
    with bar(loader, unit="step", desc=f"train {settings.architecture}") as shown:
        for number, batch in enumerate(shown):
            rows, tokens, stated = (t.to(device, non_blocking=True) for t in batch)
            with torch.autocast(device.type, torch.bfloat16, enabled=gpu):
                image, text, scale = network(preprocessing(_shift(images[rows], rng)), tokens)
            loss = contrastive_loss(image, text, scale, _known(distances[rows], stated))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                network.logit_scale.clamp_(0, float(np.log(MAXIMUM_LOGIT_SCALE)))
            if number % REPORT_EVERY == 0:  # a GPU would wait for it
                _refuse_divergence([loss], settings)
                shown.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    _refuse_divergence(network.parameters(), settings)
    network.eval()


def _refuse_divergence(tensors: Iterable[Tensor], settings: SimulatorModel) -> None:
    if not all(tensor.isfinite().all() for tensor in tensors):
        raise UserError(
            f"the training of {settings.architecture} diverged: its loss is no longer finite; "
            f"lower the model's learning_rate (now {settings.learning_rate:g})"
        )


def _known(distances: Tensor, stated: Tensor) -> Tensor:
    """The agreement of images and captions ``[B, B]``.

    NaN for captions that state nothing but the environment, and images of it: a baseline should be
    no closer to one state than to another.
    """
    share = agreement(distances, stated)
    generic = stated.sum(dim=1) == 1
    return share.masked_fill(generic & (share == 1), torch.nan)


def _shift(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Shifts the whole batch ``[B, 3, S, S]`` by a few random pixels, repeating the border.

    Returns:
        Uint8 ``[B, S, S, 3]``.
    """
    x, y = rng.integers(0, 2 * SHIFT + 1, 2)
    size = images.shape[-1]
    padded = functional.pad(images.float(), [SHIFT] * 4, mode="replicate")
    return padded[..., y : y + size, x : x + size].to(torch.uint8).permute(0, 2, 3, 1)
