"""The corpus of the offline family: frames of every environment and facts about each.

States come from their own random stream, so none of them occurs in a state set that is
used for evaluation.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from vlmrm.artifacts import create_hdf5, open_hdf5
from vlmrm.config import SCENES, Corpus, EnvironmentName, Rendering
from vlmrm.envs.rendering import render_states
from vlmrm.models.captions import Facts, state_facts
from vlmrm.models.preprocessing import Preprocessing
from vlmrm.models.untrained import FAMILY_PREPROCESSING
from vlmrm.tasks.states import sample_training_states

HELD_OUT = 0.1
"""Share of the corpus that is not trained on."""


@dataclass
class Part:
    """The frames of one environment.

    Attributes:
        environment: Its name.
        images: Uint8 ``[N, 3, S, S]``.
        states: Float64 ``[N, D]``.
        facts: What is seen, one per image.
    """

    environment: EnvironmentName
    images: NDArray[np.uint8]
    states: NDArray[np.float64]
    facts: list[Facts]

    def split(self) -> tuple[Part, Part]:
        """The part to train on, and the held-out part."""
        cut = len(self.images) - max(1, round(HELD_OUT * len(self.images)))
        train, held_out = slice(None, cut), slice(cut, None)
        return self[train], self[held_out]

    def __getitem__(self, rows: slice) -> Part:
        return Part(self.environment, self.images[rows], self.states[rows], self.facts[rows])


def make_corpus(settings: Corpus, rendering: Rendering, path: str | os.PathLike[str]) -> None:
    """Samples states, renders them in every scene of their environment, and writes the corpus."""
    size = settings.image_size
    with create_hdf5(path, "corpus", {"settings": settings.model_dump()}) as file:
        for environment, count in settings.frames.items():
            states = sample_training_states(environment, count, settings.seed)
            group = file.create_group(environment)
            group["states"] = states
            group["facts"] = [json.dumps(f) for f in state_facts(environment, states)]
            images = group.create_dataset(
                "images", (count, 3, size, size), np.uint8, compression="lzf"
            )
            _render_into(images, environment, states, rendering)


def read_corpus(path: str | os.PathLike[str]) -> list[Part]:
    """The parts of a corpus, one per environment."""
    with open_hdf5(Path(path), "corpus") as file:
        return [
            Part(
                environment=environment,
                images=group["images"][:],
                states=group["states"][:],
                facts=[json.loads(f) for f in group["facts"].asstr()[:]],
            )
            for environment, group in file.items()
        ]


def _render_into(
    images: h5py.Dataset,
    environment: EnvironmentName,
    states: NDArray[np.float64],
    rendering: Rendering,
) -> None:
    """Renders the states, each scene a contiguous share, resized as the family sees them."""
    size = images.shape[-1]
    preprocessing = Preprocessing.from_open_clip({**FAMILY_PREPROCESSING, "size": size})
    scenes = SCENES[environment]
    with tqdm(total=len(states), unit="frame", desc=f"corpus {environment}", disable=None) as bar:
        # Interleaved, so that the held-out rows at the end see every scene.
        for first, scene in enumerate(scenes):
            rows = np.arange(first, len(states), len(scenes))
            row = 0
            for frames in render_states(environment, scene, rendering, states[rows]):
                resized = preprocessing.resize(torch.from_numpy(frames)).numpy()
                where = rows[row : row + len(frames)]
                images[slice(where[0], where[-1] + 1, len(scenes))] = resized
                row += len(frames)
                bar.update(len(frames))
