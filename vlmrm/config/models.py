"""Reward models, and the corpora that simulator-trained models learn from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    ValidationError,
    WithJsonSchema,
    model_serializer,
)

from vlmrm.config.base import (
    REPOSITORY,
    Aggregate,
    ConfigModel,
    EnvironmentName,
    ImportPath,
    Name,
    NonEmptyList,
    PositiveInt,
    Seed,
    UniqueList,
    Version,
)
from vlmrm.config.measurements import Rendering


class PretrainedModel(ConfigModel):
    """A published CLIP model, given by `architecture` and `tag`, by `repository`, or by `path`."""

    source: Literal["pretrained"]
    architecture: str | None = None
    """Name of an open_clip architecture, such as `ViT-L-14`."""
    tag: str | None = None
    """Name of pretrained weights of this architecture, such as `laion2b_s32b_b82k`."""
    repository: Annotated[str, Field(pattern=REPOSITORY)] | None = None
    """Hugging Face hub repository of an open_clip model, as `owner/name`. Replaces the tag."""
    revision: str | None = None
    """Commit of the repository, 40 hexadecimal digits. Optional with a tag."""
    path: Annotated[str, Field(min_length=1), AfterValidator(os.path.expanduser)] | None = None
    """Local folder with the files of such a repository, `~` included. Replaces tag and
    repository. If its files are replaced, a run does not start before the model is made again."""
    sha256: str | None = None
    """Expected SHA-256 checksum of the published weights file."""
    allow_pickle: bool = False
    """Accept weights that exist only as a pickle. A pickle can run code: trust its authors."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Keys that do not go together or are malformed, and what is wrong with each."""
        given = [key for key in ("tag", "repository", "path") if getattr(self, key) is not None]
        if not given:
            yield "tag", "missing; give it, or repository and revision, or path"
        for key in given[1:]:
            yield key, f"cannot be combined with {given[0]}; keep one of them"
        if self.tag is not None and self.architecture is None:
            yield "architecture", "missing; a tag is one of an architecture"
        if self.tag is None and self.architecture is not None:
            yield "architecture", "belongs to a tag; a repository or folder tells its own"
        if self.repository is not None and self.revision is None:
            yield "revision", "missing; pin a commit of the repository"
        if self.path is not None and self.revision is not None:
            yield "revision", "has no effect for a local folder; remove it"
        for key, value, digits in (("revision", self.revision, 40), ("sha256", self.sha256, 64)):
            if value is not None and not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
                yield key, f"must be {digits} hexadecimal digits, got '{value}'"


class SimulatorModel(ConfigModel):
    """A small CLIP model, trained by the workflow on simulator frames and generated captions.

    Its results are not zero-shot: it was trained on these environments.
    """

    source: Literal["simulator"]
    architecture: Name
    """Name of an architecture in `vlmrm/models/architectures/`."""
    corpus: Name
    """Name of one of `corpora`, the training data."""
    initial_model: Name | None = None
    """Name of another model of this architecture, simulator-trained, packaged, or a folder of one
    (`path`), whose weights the training starts from. By default, they are random."""
    epochs: PositiveInt = 8
    """Passes over the corpus."""
    batch_size: PositiveInt = 64
    """Image-text pairs per step. Each image is compared with all captions of the batch, by how
    far they are true of it."""
    learning_rate: Annotated[float, Field(gt=0)] = 2.5e-3
    """Peak of AdamW's one-cycle schedule for the image tower."""
    seed: Seed = 0
    """Random seed."""


class PackagedModel(ConfigModel):
    """A small CLIP model that comes with this package, trained on frames of these simulators.

    Its results are not zero-shot: it was trained on these environments.
    """

    source: Literal["packaged"]
    architecture: Name
    """Name of the model, a folder of `vlmrm/models/weights/`."""


class RandomModel(ConfigModel):
    """A model with random weights, the control that every reward model has to beat."""

    source: Literal["random"]
    architecture: Name
    """Name of an architecture in `vlmrm/models/architectures/` or in open_clip."""
    seed: Seed = 0
    """Random seed."""


class FunctionModel(ConfigModel):
    """Your own reward model: Python code that scores frames for a sentence (docs/functions.md).

    The code that `function` names runs, like that of any import.
    """

    source: Literal["function"]
    function: ImportPath
    """Import path of a factory, as `package.module:make_reward`. It gets the settings as keyword
    arguments and returns the reward. Modules in the working directory are found too."""
    settings: Annotated[dict[str, JsonValue], WithJsonSchema({"type": "object"})] = {}
    """Keyword arguments of the factory, passed as they are."""
    version: Version = "1"
    """Change it when the code changes: its rewards and all that depends on them are computed
    again."""
    embeddings: bool = False
    """Whether the factory returns an object with `embed_images` and `embed_sentences`, for which
    all scorings work. Otherwise it returns a callable, whose plain score is called `alpha-0`."""
    window: Annotated[int, Field(ge=1, le=64)] = 1
    """Frames per reward: the latest of an episode, five steps apart."""
    batch_size: PositiveInt = 32
    """Maximum number of rewards per call."""

    architecture: ClassVar[None] = None
    """Unknown, as that of a published model without a tag."""


class EnsembleModel(ConfigModel):
    """Several models, sentences, or views as one reward.

    A member is a model, a scene, and the task's sentence or one of its sentences.
    """

    source: Literal["ensemble"]
    members: NonEmptyList[Name]
    """Names of other `models`, neither ensembles nor functions."""
    reference: Name
    """Name of one of `state_sets`. The rewards of each member are standardized by their mean and
    standard deviation on these states, whatever states are scored."""
    aggregate: Aggregate = "mean"
    """The mean of the members' rewards, their minimum, or, for `pessimistic`, the mean minus
    `penalty` times the standard deviation over the members."""
    penalty: Annotated[float, Field(ge=0)] | None = None
    """Weight of the standard deviation for `pessimistic`. By default 1."""
    prompts: Literal["average", "separate"] = "average"
    """Whether the embeddings of a task's goal sentences are averaged, or each sentence is a member.
    """
    scenes: UniqueList[str] = []
    """Views, each of which is a member: scenes in which each state is rendered. In measurements and
    experiments, the first one stands for all. By default, the scene of the measurement or
    experiment."""

    architecture: ClassVar[None] = None
    """It has no network of its own."""


Model = Annotated[
    PretrainedModel | PackagedModel | SimulatorModel | RandomModel | EnsembleModel | FunctionModel,
    Field(discriminator="source"),
]


HELD_OUT = 0.1
"""Share of a corpus that is held out from training."""


class Corpus(ConfigModel):
    """Image-text pairs, the training data of `source: simulator` models.

    They come from the simulators of this package, by `frames`, or from one of your own
    `environments`, by `captions`.
    """

    frames: dict[EnvironmentName, Annotated[dict[str, PositiveInt], Field(min_length=1)]] = {}
    """Number of frames per environment and scene, whose captions are generated."""
    states: UniqueList[Name] = []
    """Names of `state_sets` whose states are added, in equal shares in the scenes of their
    environment: for example states that agents met. With `captions`, rollouts in one of your own
    environments, the only frames."""
    captions: ImportPath | None = None
    """Instead of `frames`, a function as `MODULE:FUNCTION` that takes a state, as a dictionary of
    numbers, and returns a sentence or a list of sentences that are true of it."""
    version: Version = "1"
    """Change it, and the name of the corpus, when the code of `captions` changes."""
    image_size: PositiveInt = 96
    """Side of the square images in pixels. Those of the shipped architectures."""
    rendering: Rendering = Rendering()
    """How the frames are rendered before they are resized, whatever a run renders."""
    seed: Seed = 0
    """Random seed."""

    @model_serializer(mode="wrap")
    def _recorded(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out the keys of captions where they are not read."""
        content: dict[str, Any] = serialize(self)
        if self.captions is None:
            del content["captions"], content["version"]
        return content


_CHECKS = {"sha256", "allow_pickle"}
"""Keys that say what is accepted, not what it is."""


def differences(definition: ConfigModel, recorded: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Keys of a model or corpus that differ from a record of it, each with both values."""
    with suppress(ValidationError):  # a definition of another kind
        # Keys that are newer than the record have their defaults.
        recorded = type(definition).model_validate(recorded).model_dump()
    now = definition.model_dump()
    keys = [key for key in (*now, *(recorded.keys() - now.keys())) if key not in _CHECKS]
    return [
        (key, now.get(key), recorded.get(key)) for key in keys if now.get(key) != recorded.get(key)
    ]
