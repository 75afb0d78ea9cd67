"""The texts of `captions.yaml`, of which captions are made, and which words they have.

Without the simulators, whose states captions are about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vlmrm.config import read_yaml

Phrases = dict[str, tuple[str, ...]]
"""The values of a fact, each with its phrasings."""

_TEXTS: dict[str, Any] = read_yaml(Path(__file__).with_name("captions.yaml"))

LEADING: dict[str, str] = {environment: texts["leading"] for environment, texts in _TEXTS.items()}
"""The fact that most captions contain."""

OPENINGS: dict[str, tuple[str, ...]] = {
    environment: tuple(texts["openings"]) for environment, texts in _TEXTS.items()
}
"""Beginnings of captions."""

GENERIC: dict[str, tuple[str, ...]] = {
    environment: tuple(texts["generic"]) for environment, texts in _TEXTS.items()
}
"""Captions that fit every frame."""

PHRASES: dict[str, dict[str, Phrases]] = {
    environment: {
        fact: {value: tuple(phrases) for value, phrases in values.items()}
        for fact, values in texts["phrases"].items()
    }
    for environment, texts in _TEXTS.items()
}
"""The facts of each environment."""


def new_words_warning(
    model: str, sentences: Iterable[str], environments: Iterable[str] = _TEXTS
) -> str | None:
    """What to say about sentences with words that a model has never read; None if it read them all.

    Args:
        model: Name of a model that was trained on these captions.
        sentences: Sentences.
        environments: Those whose captions count; by default, all.
    """
    words = new_words(" ".join(sentences), environments)
    if not words:
        return None
    return (
        f"{model} has never read: {', '.join(words)}. It may reward anything for them; a published "
        "model may know them (docs/published-models.md)."
    )


def new_words(sentence: str, environments: Iterable[str] = _TEXTS) -> list[str]:
    """The words of a sentence that are in no caption of these environments, each once."""
    captions: list[str] = []
    for environment in environments:
        captions += [*OPENINGS[environment], *GENERIC[environment]]
        for values in PHRASES[environment].values():
            captions += [phrase for texts in values.values() for phrase in texts]
    known = set(_words(" ".join(captions)))
    return [word for word in dict.fromkeys(_words(sentence)) if word not in known]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
