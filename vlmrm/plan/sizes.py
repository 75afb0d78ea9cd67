"""Sizes of models, without building those that are known."""

from __future__ import annotations

import functools
from contextlib import suppress
from pathlib import Path

from vlmrm.config import Config, EnsembleModel, Precision, PretrainedModel
from vlmrm.config.models import Model
from vlmrm.models.folder import CONFIG_FILE, MODELS
from vlmrm.models.sizes import GPU_BATCH_PIXELS, ModelSize, tabulated_size

STAND_IN = "ViT-B-32"
"""Architecture that a model of unknown size counts as: hardly a published one is smaller."""

LARGEST = 16_000_000_000
"""Bytes of the weights of a model of unknown size: hardly a published one has more."""

GPU_SHARE = 0.8
"""Share of a GPU's memory for weights and images; OpenGL and PyTorch take the rest."""


def gpu_weights(size: ModelSize, precision: Precision) -> int:
    """Bytes of weights on a GPU, where the image tower alone is."""
    return _bytes(precision) * size.image_parameters


def fitting_batch(size: ModelSize, memory: float, precision: Precision) -> int:
    """Images that a GPU with this memory in bytes embeds at a time; 0 if the weights do not fit."""
    free = GPU_SHARE * memory - gpu_weights(size, precision)
    fitting = max(int(free / (_bytes(precision) * size.activations)), 0)
    return min(fitting, GPU_BATCH_PIXELS // size.image_size**2)


def _bytes(precision: Precision) -> int:
    """Bytes of a number; a GPU chooses a reduced precision."""
    return 4 if precision == "float32" else 2


@functools.cache
def size_of(architecture: str) -> ModelSize:
    """From the table; an architecture that is not in it is built, which loads PyTorch.

    Raises:
        UserError: The architecture is unknown.
    """
    if tabulated := tabulated_size(architecture):
        return tabulated
    from vlmrm.models.model_size import measure_size

    return measure_size(architecture)


def weight_bytes(config: Config, name: str) -> int:
    """Bytes of a model's weights in float32, without loading PyTorch.

    Those of its file, if the architecture is not in the table, count twice: they may have 16 bits.
    `LARGEST` if there is no file.
    """
    model = config.models[name]
    if tabulated := tabulated_size(model.architecture):
        return 4 * tabulated.parameters
    files = _folder(name, model).glob("open_clip*")
    return 2 * max((file.stat().st_size for file in files), default=LARGEST // 2)


def _folder(name: str, model: Model) -> Path:
    """Where the files of a model are, or will be."""
    path = model.path if isinstance(model, PretrainedModel) else None
    return MODELS / name if path is None else Path(path)


def known_size(config: Config, name: str) -> ModelSize | None:
    """ModelSize of a model by its architecture, or else by its folder, if it is there."""
    model = config.models[name]
    assert not isinstance(model, EnsembleModel), "ask for its members"
    if model.architecture is not None:
        return size_of(model.architecture)
    folder = _folder(name, model)
    if (folder / CONFIG_FILE).is_file():
        with suppress(Exception):  # whatever a malformed or foreign file makes open_clip raise
            return size_of(f"local-dir:{folder.resolve()}")
    return None


def model_size(config: Config, name: str) -> ModelSize:
    """ModelSize of a model; that of `STAND_IN` if it is unknown."""
    return known_size(config, name) or size_of(STAND_IN)
