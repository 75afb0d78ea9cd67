"""Corpora of the user's own environments, with captions by a function of the user's own."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Corpus
from vlmrm.data.files import create_hdf5, put
from vlmrm.data.frames import FrameReader
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.pretraining.captions import Caption
from vlmrm.pretraining.distances import FAR
from vlmrm.pretraining.images import write_images
from vlmrm.pretraining.own_captions import write_captions
from vlmrm.pretraining.part import BALANCE, Part
from vlmrm.terminal.bars import bar

SENTENCES = 2000
"""Largest number of different sentences of a corpus."""

CAPTION = "caption"
"""Stands for the name of the fact that a sentence states."""

BATCH = 256
"""Frames that are resized at a time."""


@dataclass
class CaptionedPart(Part):
    """Frames with sentences that are true of them; all others count as wrong.

    Attributes:
        captions: The sentences of each image.
        sentences: Each sentence once, by default those of the captions. A part of the frames keeps
            the others.
    """

    captions: list[list[str]]
    sentences: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.sentences:
            self.sentences = sorted({text for texts in self.captions for text in texts})
        number = {text: i for i, text in enumerate(self.sentences)}
        self._said = [np.array([number[text] for text in texts]) for texts in self.captions]

    @property
    def values(self) -> list[tuple[str, str]]:
        return [(CAPTION, text) for text in self.sentences]

    def distances_from_values(self) -> NDArray[np.float32]:
        table = np.full((len(self._said), len(self.sentences)), FAR, np.float32)
        for row, said in zip(table, self._said, strict=True):
            row[said] = 0
        return table

    def caption(self, row: int, rng: np.random.Generator) -> Caption:
        text = self.captions[row][rng.integers(len(self.captions[row]))]
        return Caption(text, {CAPTION: text})

    def weights(self) -> NDArray[np.float64]:
        count = np.bincount(np.concatenate(self._said))
        return np.array([np.mean(count[said] ** -BALANCE) for said in self._said])

    def rows(self, rows: NDArray[np.intp]) -> CaptionedPart:
        captions = [self.captions[row] for row in rows]
        return CaptionedPart(self.environment, self.images[rows], captions, self.sentences)


def make_captioned_corpus(
    settings: Corpus,
    key: str,
    sets: Sequence[tuple[States, FrameReader]],
    path: str | os.PathLike[str],
    **context: Any,
) -> None:
    """Asks for the captions of states, and writes them with their frames.

    Args:
        settings: The function, and the size of the images.
        key: Key of the corpus in the configuration, for errors.
        sets: Rollouts of one environment, each with its frames.
        path: Output file (HDF5).
        **context: Added to the provenance.

    Raises:
        UserError: The function cannot be used, or its sentences are too many.
    """
    assert settings.captions is not None
    key = f"{key}.captions"
    captions = []
    for states, frames in sets:
        if len(states) != len(frames) or not states.names:
            raise UserError(
                f"{key}: a set of states is not that of its frames; delete both, and run again"
            )
        captions += write_captions(key, settings.captions, states.names, states.values)
    if (count := len({text for texts in captions for text in texts})) > SENTENCES:
        raise UserError(
            f"{key}: {count:,} different sentences for {len(captions):,} states; say less of each, "
            f"in at most {SENTENCES:,} sentences"
        )
    batches = (
        batch
        for _, frames in sets
        for batch in bar(frames.batches(BATCH), desc="corpus", unit="batch")
    )
    with create_hdf5(path, "corpus", {"settings": settings.model_dump(), **context}) as file:
        group = file.create_group(sets[0][0].environment)
        put(group, "captions", [json.dumps(texts) for texts in captions])
        write_images(file, group, batches, len(captions), settings.image_size)
