"""Sentences that are longer than a model reads."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import torch

from vlmrm.errors import UserError, shorten
from vlmrm.models.libraries import open_clip

MUCH_LONGER = 10
"""Factor by which a text tower's length is exceeded to see all tokens of a sentence."""


@functools.cache
def clip_tokenizer(length: int) -> Any:
    """CLIP's tokenizer for a text tower that reads ``length`` tokens."""
    return open_clip.SimpleTokenizer(context_length=length)


def check_lengths(tokenizer: Any, sentences: Iterable[str], model: str) -> None:
    """Checks that a model reads whole sentences; tokenizers drop the rest without a word.

    Args:
        tokenizer: The model's tokenizer, from open_clip.
        sentences: Sentences.
        model: Name of the model, for the error.

    Raises:
        UserError: A sentence is too long; names the words that would not be read.
    """
    # Almost all tokens of a short sentence are padding, on whichever side.
    padding = tokenizer(["a"], context_length=MUCH_LONGER * tokenizer.context_length).mode().values

    def fits(sentence: str) -> bool:
        read, whole = (
            tokenizer([sentence], context_length=factor * tokenizer.context_length)
            for factor in (1, MUCH_LONGER)
        )
        return torch.equal(read[read != padding], whole[whole != padding])

    for sentence in sentences:
        if fits(sentence):
            continue
        words = sentence.split()
        lengths = range(len(words) - 1, -1, -1)
        read = next(n for n in lengths if fits(" ".join(words[:n])))
        raise UserError(
            f"'{shorten(sentence, 100)}' is longer than {model} reads "
            f"({tokenizer.context_length} tokens): it would not read "
            f"'{' '.join(words[read:])}'; shorten the sentence"
        )
