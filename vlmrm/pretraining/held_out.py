"""Evaluates simulator-trained models on held-out frames of their corpus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vlmrm.models.clip import ClipModel
from vlmrm.pretraining.captioned import CaptionedPart
from vlmrm.pretraining.corpus import CorpusPart
from vlmrm.pretraining.facts import UNCLEAR
from vlmrm.pretraining.part import Part
from vlmrm.pretraining.phrases import LEADING, OPENINGS, PHRASES
from vlmrm.rewards.goal_baseline import mean_direction


def evaluate_held_out(model: ClipModel, parts: Sequence[Part]) -> dict[str, dict[str, float]]:
    """Measures how well a model recognizes each fact, as in zero-shot classification.

    The prediction is the value whose sentences have the nearest mean embedding; where captions are
    a function's, the sentence with the nearest embedding.

    Returns:
        For each environment, the accuracy of each ``FACT`` in [0, 1] on the held-out frames that
        show it clearly, and their share as ``clear FACT``. For the leading fact of an environment,
        ``FACT=VALUE`` is the accuracy on frames with this value. Where captions are a function's,
        the share of frames of which the predicted sentence is true, as ``caption``.
    """
    return {part.environment: _evaluate(model, part) for part in parts}


def _evaluate(model: ClipModel, part: Part) -> dict[str, float]:
    if isinstance(part, CaptionedPart):
        return _evaluate_captions(model, part)
    assert isinstance(part, CorpusPart)
    return _evaluate_facts(model, part)


def _evaluate_captions(model: ClipModel, part: CaptionedPart) -> dict[str, float]:
    images = model.embed_images(part.images.transpose(0, 2, 3, 1))
    predicted = (images @ model.embed_prompts(part.sentences).T).argmax(axis=1)
    true = [part.sentences[i] in said for i, said in zip(predicted, part.captions, strict=True)]
    return {"frames": len(true), "caption": float(np.mean(true))}


def _evaluate_facts(model: ClipModel, part: CorpusPart) -> dict[str, float]:
    embeddings = model.embed_images(part.images.transpose(0, 2, 3, 1))
    report: dict[str, float] = {"frames": len(part.images)}
    for fact, phrases in PHRASES[part.environment].items():
        values = list(phrases)
        classes = np.stack([_class_embedding(model, part.environment, phrases[v]) for v in values])
        predicted = np.array(values)[(embeddings @ classes.T).argmax(axis=1)]
        true = np.array([facts.get(fact, UNCLEAR) for facts in part.facts])
        clear = true != UNCLEAR
        report[fact] = float(np.mean(predicted[clear] == true[clear]))
        report[f"clear {fact}"] = float(np.mean(clear))
        if fact == LEADING[part.environment]:
            for value in np.unique(true[clear]):
                report[f"{fact}={value}"] = float(np.mean(predicted[true == value] == value))
    return report


def _class_embedding(
    model: ClipModel, environment: str, phrases: tuple[str, ...]
) -> NDArray[np.float64]:
    """Mean embedding over all openings and phrasings of one value."""
    sentences = [f"{opening} {phrase}" for opening in OPENINGS[environment] for phrase in phrases]
    return mean_direction(model.embed_prompts(sentences))
