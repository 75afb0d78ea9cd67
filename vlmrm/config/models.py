"""CLIP models, and what the offline family is trained on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from vlmrm.config.base import ConfigModel, EnvironmentName, Name, PositiveInt, Seed
from vlmrm.config.measurements import Rendering


class PretrainedModel(ConfigModel):
    """Published CLIP weights: an `architecture` and `tag`, a `repository`, or a `path`."""

    source: Literal["pretrained"]
    architecture: str | None = None
    """Name of an open_clip architecture, for example `ViT-L-14`."""
    tag: str | None = None
    """Name of the weights among those of this architecture, for example `laion2b_s32b_b82k`."""
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    """Instead of a tag: a repository of the hub with a model for open_clip, `owner/name`."""
    revision: str | None = None
    """Which commit of the repository: 40 hexadecimal digits; may be left out for a tag."""
    path: str | None = None
    """Instead of both: a local folder with the files of such a repository."""
    sha256: str | None = None
    """Of the published file of weights, which is then checked against it."""
    allow_pickle: bool = False
    """Accept weights that are not in safetensors; they can run code, so trust who made them."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Keys that do not go together or are malformed, and what is wrong with each."""
        given = [key for key in ("tag", "repository", "path") if getattr(self, key) is not None]
        if not given:
            yield "tag", "missing; give it, or repository and revision, or path"
        for key in given[1:]:
            yield key, f"stands beside {given[0]}; keep one of them"
        if self.tag is not None and self.architecture is None:
            yield "architecture", "missing; a tag is one of an architecture"
        if self.tag is None and self.architecture is not None:
            yield "architecture", "belongs to a tag; a repository or folder tells its own"
        if self.repository is not None and self.revision is None:
            yield "revision", "missing; pin a commit of the repository"
        if self.path is not None and self.revision is not None:
            yield "revision", "means nothing for a local folder; remove it"
        for key, value, digits in (("revision", self.revision, 40), ("sha256", self.sha256, 64)):
            if value is not None and not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
                yield key, f"must be {digits} hexadecimal digits, got '{value}'"


class SimulatorModel(ConfigModel):
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
    seed: Seed = 0


class RandomModel(ConfigModel):
    """An untrained model: the control that any reward model has to beat."""

    source: Literal["random"]
    architecture: Name
    """An architecture of the offline family, or of open_clip."""
    seed: Seed = 0


Model = Annotated[PretrainedModel | SimulatorModel | RandomModel, Field(discriminator="source")]


class Corpus(ConfigModel):
    """Image-text pairs rendered from the simulators, to train the offline family on."""

    frames: Annotated[
        dict[EnvironmentName, Annotated[dict[str, PositiveInt], Field(min_length=1)]],
        Field(min_length=1),
    ]
    """How many frames of each environment, scene by scene."""
    image_size: PositiveInt = 64
    """Side of the square images in pixels."""
    rendering: Rendering = Rendering()
    """How the frames are rendered before they are resized, whatever a run renders."""
    seed: Seed = 0
