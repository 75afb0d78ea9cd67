"""CLIP models, and what the offline family is trained on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vlmrm.config.section import EnvironmentName, Name, PositiveInt, Section


class PretrainedModel(Section):
    """Published CLIP weights."""

    source: Literal["pretrained"]
    architecture: str
    """Name of an open_clip architecture, for example `ViT-L-14`."""
    tag: str
    """Name of the weights among those of this architecture, for example `laion2b_s32b_b82k`."""


class SimulatorModel(Section):
    """A small CLIP model trained here on rendered simulator frames and generated captions.

    Never zero-shot: it has seen this domain.
    """

    source: Literal["simulator"]
    architecture: Name
    """Size within the offline family: a file of `vlmrm/models/architectures/`."""
    corpus: Name
    """Which of `corpora` it is trained on."""
    epochs: PositiveInt = 8
    """Passes over the corpus."""
    batch_size: PositiveInt = 64
    """Image-text pairs per step: every other caption of the batch is a negative."""
    learning_rate: Annotated[float, Field(gt=0)] = 2.5e-3
    """Peak of the one-cycle schedule of AdamW for the image tower."""
    seed: int = 0


class RandomModel(Section):
    """An untrained model: the control that any reward model has to beat."""

    source: Literal["random"]
    architecture: Name
    """An architecture of the offline family, or of open_clip."""
    seed: int = 0


Model = Annotated[PretrainedModel | SimulatorModel | RandomModel, Field(discriminator="source")]


class Corpus(Section):
    """Image-text pairs rendered from the simulators, to train the offline family on."""

    frames: dict[EnvironmentName, dict[str, PositiveInt]]
    """How many frames of each environment, scene by scene."""
    image_size: PositiveInt = 64
    """Side of the square images in pixels."""
    seed: int = 0
