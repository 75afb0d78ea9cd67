"""Trains a small CLIP model on rendered frames and generated captions.

The loss is CLIP's contrastive loss (Radford et al. 2021, "Learning Transferable Visual Models From
Natural Language Supervision"): find the matching image-text pairs of a batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from vlmrm.config import SimulatorModel
from vlmrm.data.files import read_provenance
from vlmrm.models.clip import ClipModel, choose_device
from vlmrm.models.folder import save_model_folder
from vlmrm.models.preprocessing import Preprocessing
from vlmrm.models.random_init import build_random
from vlmrm.pretraining.captions import LEADING, UNCLEAR, generic_caption, write_caption
from vlmrm.pretraining.corpus import CorpusPart, read_corpus
from vlmrm.pretraining.held_out import evaluate_held_out

GENERIC_SHARE = 0.05
"""Share of captions that fit every frame, so that baseline prompts get a meaning too."""

TEXT_RATE = 0.4
"""Learning rate of the text tower relative to the image tower's, at which it would diverge."""

BETAS = (0.9, 0.98)
"""AdamW's betas, as in the original CLIP."""

BALANCE = 0.5
"""Images are sampled in proportion to n ** -BALANCE, where n images share their leading fact. Rare
postures are seen more often, and fewer captions of a batch fit each other's images."""

WEIGHT_DECAY = 0.05
MAXIMUM_LOGIT_SCALE = 100.0
"""Upper bound of the inverse temperature, as in the original CLIP."""

SHIFT = 3
"""Largest random shift of a training image in pixels."""


def train_model(
    settings: SimulatorModel,
    corpus: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    device: str = "auto",
) -> None:
    """Trains a model on a corpus and writes its folder.

    The provenance contains the accuracy on held-out frames. Training is deterministic for a given
    seed, machine, and number of threads.

    Args:
        settings: Architecture, epochs, batch size, learning rate, and seed.
        corpus: File of `vlmrm.pretraining.corpus.make_corpus`.
        folder: Output folder.
        device: A torch device, or ``auto``.
    """
    parts = read_corpus(corpus)
    training, held_out = zip(*(part.split() for part in parts), strict=True)
    target = choose_device(device)
    network, model_config, preprocess_config = build_random(settings.architecture, settings.seed)
    preprocess_config = {**preprocess_config, "size": model_config["vision_cfg"]["image_size"]}
    preprocessing = Preprocessing.from_open_clip(preprocess_config)
    tokenizer = open_clip.SimpleTokenizer(context_length=model_config["text_cfg"]["context_length"])
    # On a CPU, convolutions are a fifth faster in this format.
    network = network.to(target).to(memory_format=torch.channels_last)
    _fit(network, list(training), tokenizer, preprocessing, settings)
    model = ClipModel(settings.architecture, network, tokenizer, preprocessing, target)
    recognition = evaluate_held_out(model, list(held_out))
    save_model_folder(
        folder,
        network.to("cpu"),
        model_config,
        preprocess_config,
        source="simulator",
        settings=settings.model_dump(),
        corpus=read_provenance(corpus).get("settings"),
        held_out=recognition,
    )


def _fit(
    network: Any,
    parts: list[CorpusPart],
    tokenizer: open_clip.SimpleTokenizer,
    preprocessing: Preprocessing,
    settings: SimulatorModel,
) -> None:
    rng = np.random.default_rng(settings.seed)
    steps = settings.epochs * max(1, sum(len(p.images) for p in parts) // settings.batch_size)
    image_tower = list(network.visual.parameters())
    others = [p for name, p in network.named_parameters() if not name.startswith("visual.")]
    optimizer = torch.optim.AdamW(
        [{"params": image_tower}, {"params": others}],
        betas=BETAS,
        weight_decay=WEIGHT_DECAY,
        fused=True,  # four times as fast: most parameters are word embeddings
    )
    peaks = [settings.learning_rate, TEXT_RATE * settings.learning_rate]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peaks, total_steps=steps, pct_start=0.1
    )
    loss_of = open_clip.ClipLoss()
    device = next(network.parameters()).device
    network.train()
    with tqdm(total=steps, unit="step", desc=f"train {settings.architecture}", disable=None) as bar:
        for images, captions in _batches(parts, settings.batch_size, steps, rng):
            pixels = preprocessing(images.to(device))
            image, text, scale = network(pixels, tokenizer(captions).to(device))
            loss = loss_of(image, text, scale)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                network.logit_scale.clamp_(0, float(np.log(MAXIMUM_LOGIT_SCALE)))
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
            bar.update()
    network.eval()


def _batches(
    parts: list[CorpusPart], size: int, steps: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, list[str]]]:
    """Yields batches that mix the environments in proportion to their frames."""
    owner = np.concatenate([np.full(len(p.images), i) for i, p in enumerate(parts)])
    row = np.concatenate([np.arange(len(p.images)) for p in parts])
    shares = np.concatenate([_balanced(part) for part in parts]) / len(owner)
    for _ in range(steps):
        batch = rng.choice(len(owner), size, p=shares)
        images = np.stack([parts[owner[i]].images[row[i]] for i in batch])
        captions = [_caption(parts[owner[i]], row[i], rng) for i in batch]
        yield _shift(torch.from_numpy(images), rng).permute(0, 2, 3, 1), captions


def _balanced(part: CorpusPart) -> NDArray[np.float64]:
    """Sampling weights ``[N]`` of the images, 1 on average."""
    facts = [facts.get(LEADING[part.environment], UNCLEAR) for facts in part.facts]
    _, kind, count = np.unique(facts, return_inverse=True, return_counts=True)
    weight = count[kind] ** -BALANCE
    normalized: NDArray[np.float64] = weight / weight.mean()
    return normalized


def _caption(part: CorpusPart, row: int, rng: np.random.Generator) -> str:
    if rng.random() < GENERIC_SHARE:
        return generic_caption(part.environment, rng)
    return write_caption(part.environment, part.facts[row], rng)


def _shift(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Shifts the whole batch by a few random pixels, repeating the border."""
    x, y = rng.integers(0, 2 * SHIFT + 1, 2)
    size = images.shape[-1]
    padded = functional.pad(images.float(), [SHIFT] * 4, mode="replicate")
    return padded[..., y : y + size, x : x + size].to(torch.uint8)
