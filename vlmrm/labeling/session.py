"""A rater's way through the states."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.labeling.labels import (
    Answer,
    Label,
    append_label,
    check_rater,
    fingerprint,
    now,
    read_answers,
)

STREAM = 0x1ABE1
"""Marks the random stream of the order in which states are shown."""


def shown_order(count: int, sample: int | None, seed: int) -> NDArray[np.int64]:
    """Rows of the states to label, in the order in which every rater sees them.

    The order is random, so that whatever was labeled when a rater stops is an unbiased sample. A
    larger ``sample`` begins with a smaller one.
    """
    return np.random.default_rng([STREAM, seed]).permutation(count)[:sample]


class Session:
    """One rater who labels states for one task, beginning where an earlier session stopped.

    States are known by their position in the order shown. Their rows stay here: in many sets they
    follow a grid, a path to the pose, or a training, and a rater must not know.

    Args:
        states: What is labeled; their own labels are not used.
        task: Name of the task.
        goals: The sentences that describe success.
        rater: Who labels.
        path: File of labels, new or to be continued.
        sample: How many states are shown; all if left out.
        seed: Of their order.

    Raises:
        UserError: The name of the rater, or the file, is refused.
    """

    def __init__(
        self,
        states: States,
        task: str,
        goals: list[str],
        rater: str,
        path: Path,
        sample: int | None = None,
        seed: int = 0,
    ):
        try:
            self.rater = check_rater(rater)
        except ValueError as error:
            raise UserError(f"--rater: {error}") from error
        self.task = task
        self.goals = goals
        self._path = path
        self._states = fingerprint(states)
        self._order = shown_order(len(states), sample, seed)
        empty = not path.exists() or path.stat().st_size == 0
        given = {} if empty else read_answers([path], task, states).get(self.rater, {})
        self.answers: list[Answer | None] = [given.get(int(row)) for row in self._order]
        """The latest answer at each position."""

    def __len__(self) -> int:
        return len(self._order)

    @property
    def key(self) -> str:
        """Equal for sessions whose positions and answers mean the same.

        It lets the server refuse an answer from a page that was opened for another session.
        """
        what = f"{self._states} {self.task} {self.goals} {self.rater} {self._path.resolve()} "
        return hashlib.sha256(what.encode() + self._order.tobytes()).hexdigest()[:16]

    def row(self, position: int) -> int:
        """Row in the state set of what is shown at ``position``."""
        return int(self._order[position])

    def answer(self, position: int, answer: Answer) -> None:
        """Writes an answer to the file."""
        state = self.row(position)
        append_label(self._path, Label(self.rater, self.task, state, answer, now(), self._states))
        self.answers[position] = answer
