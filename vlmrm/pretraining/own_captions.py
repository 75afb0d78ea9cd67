"""Captions by a function of the user's own, one state at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.errors import UserError, suggest
from vlmrm.imports import calling, import_object


class _State(dict[str, float]):
    """A state by the names of its entries, of which no other is asked for."""

    def __init__(self, key: str, state: dict[str, float]):
        super().__init__(state)
        self._key = key

    def __missing__(self, name: Any) -> float:
        raise UserError(f"{self._key}: a state has no '{name}'{suggest(name, self)}")


def write_captions(
    key: str, path: str, names: Sequence[str], states: NDArray[np.float64]
) -> list[list[str]]:
    """The sentences that a function says of each state.

    Args:
        key: Key of the function in the configuration, for errors.
        path: Where it is, as ``MODULE:FUNCTION``; this runs its code.
        names: Names of the ``D`` entries of a state.
        states: States ``[N, D]``.

    Raises:
        UserError: It cannot be imported, raises an error, or returns anything but sentences.
    """
    function = import_object(key, path)
    captions = []
    for row in states:
        state = _State(key, dict(zip(names, row.tolist(), strict=True)))
        with calling(key):
            said: Any = function(state)
        texts = [said] if isinstance(said, str) else said
        if not isinstance(texts, (list, tuple)) or not all(isinstance(t, str) for t in texts):
            kind = type(said).__name__
            raise UserError(f"{key}: returns {kind}, neither a sentence nor a list of sentences")
        if not texts or not all(text.strip() for text in texts):
            empty = "an empty sentence" if texts else "no sentence"
            raise UserError(f"{key}: returns {empty} for {state}; every state needs one")
        captions.append(list(dict.fromkeys(texts)))
    return captions
