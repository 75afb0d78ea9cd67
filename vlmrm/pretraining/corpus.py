"""The training data of simulator-trained models: frames, each with facts about its state.

States come from a separate random stream, so none of them is in a state set for evaluation.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Corpus, EnvironmentName, Rendering
from vlmrm.data.files import create_hdf5, open_hdf5, put, reading, texts
from vlmrm.data.states import States
from vlmrm.machine.processes import worker_count
from vlmrm.pretraining.captioned import CaptionedPart
from vlmrm.pretraining.captions import (
    Caption,
    Facts,
    generic_caption,
    write_caption,
)
from vlmrm.pretraining.distances import distances
from vlmrm.pretraining.facts import UNCLEAR
from vlmrm.pretraining.images import write_images
from vlmrm.pretraining.part import BALANCE, Part
from vlmrm.pretraining.phrases import PHRASES
from vlmrm.pretraining.sampling import states_in_scenes
from vlmrm.rendering import check_scene
from vlmrm.rendering.parallel import render_states
from vlmrm.terminal.bars import bar

GENERIC_SHARE = 0.05
"""Share of captions that fit every frame, so that baseline prompts get a meaning too."""


@dataclass
class CorpusPart(Part):
    """Frames of a simulator, with facts about their states.

    Attributes:
        facts: Visible facts, one dictionary per image.
        distances: Distance of each image from each value of each fact, float32 ``[N, V]``; see
            `vlmrm.pretraining.distances`.
    """

    environment: EnvironmentName
    facts: list[Facts]
    distances: NDArray[np.float32]

    @property
    def values(self) -> list[tuple[str, str]]:
        facts = PHRASES[self.environment].items()
        return [(fact, value) for fact, values in facts for value in values]

    def distances_from_values(self) -> NDArray[np.float32]:
        return self.distances

    def caption(self, row: int, rng: np.random.Generator) -> Caption:
        if rng.random() < GENERIC_SHARE:
            return generic_caption(self.environment, rng)
        return write_caption(self.environment, self.facts[row], rng)

    def weights(self) -> NDArray[np.float64]:
        weight = np.zeros(len(self.facts))
        for fact in PHRASES[self.environment]:
            values = [facts.get(fact, UNCLEAR) for facts in self.facts]
            _, kind, count = np.unique(values, return_inverse=True, return_counts=True)
            weight += count[kind] ** -BALANCE
        return weight

    def rows(self, rows: NDArray[np.intp]) -> CorpusPart:
        facts = [self.facts[row] for row in rows]
        return CorpusPart(self.environment, self.images[rows], facts, self.distances[rows])


def make_corpus(
    settings: Corpus,
    path: str | os.PathLike[str],
    workers: int | None = None,
    added: Sequence[States] = (),
    **context: Any,
) -> None:
    """Samples states, renders each in one of the scenes, and writes the corpus.

    Args:
        settings: Number of frames per environment and scene, image size, rendering, and seed.
        path: Output file (HDF5).
        workers: Number of processes that render; by default one per core.
        added: Further states, in equal shares in the scenes of their environment.
        **context: Added to the provenance.

    Raises:
        UserError: A scene cannot be rendered here.
    """
    for environment, scenes in settings.frames.items():
        for scene in scenes:
            check_scene(environment, scene)
    with create_hdf5(path, "corpus", {"settings": settings.model_dump(), **context}) as file:
        for environment, numbers in settings.frames.items():
            met = [part.values for part in added if part.environment == environment]
            scenes, states, facts = states_in_scenes(
                environment, numbers, met, settings.seed, workers
            )
            group = file.create_group(environment)
            put(group, "states", states)
            put(group, "facts", [json.dumps(f) for f in facts])
            jobs = worker_count(len(states), workers)
            put(group, "distances", distances(environment, states, facts, jobs))
            batches = _rendered(environment, scenes, settings.rendering, states, workers)
            write_images(file, group, batches, len(states), settings.image_size)


def _rendered(
    environment: EnvironmentName,
    scenes: Mapping[str, int],
    rendering: Rendering,
    states: NDArray[np.float64],
    workers: int | None,
) -> Iterator[NDArray[np.uint8]]:
    """Batches of frames of the states ``[N, D]``, of which each scene has its number, in order."""
    start = 0
    for scene, number in scenes.items():
        some = states[start : start + number]
        batches = render_states(environment, scene, rendering, some, workers)
        yield from bar(batches, desc=f"corpus {environment} {scene}", unit="batch")
        start += number


def read_corpus(path: str | os.PathLike[str]) -> list[Part]:
    """Reads the parts of a corpus, one per environment.

    Raises:
        UserError: The file is missing or damaged.
    """
    with open_hdf5(Path(path), "corpus") as file, reading(path):
        return [_read_part(path, environment, group) for environment, group in file.items()]


def _read_part(path: str | os.PathLike[str], environment: Any, group: h5py.Group) -> Part:
    images = group["images"][:]
    if "captions" in group:
        captions = [json.loads(line) for line in texts(group["captions"])]
        return CaptionedPart(environment, images, captions)
    facts = [json.loads(line) for line in texts(group["facts"])]
    return CorpusPart(environment, images, facts, group["distances"][:])
