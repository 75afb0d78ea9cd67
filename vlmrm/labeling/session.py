"""A rater's session: states in random order, and their answers in the file."""

from __future__ import annotations

import hashlib
import os
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
"""Seeds the random stream of the order in which states are shown."""


def shown_order(count: int, sample: int | None, seed: int) -> NDArray[np.int64]:
    """Rows of the states to label, in the order in which every rater sees them.

    The order is random, so the states that a rater has labeled so far are an unbiased sample. A
    larger ``sample`` starts with the states of a smaller one.
    """
    return np.random.default_rng([STREAM, seed]).permutation(count)[:sample]


class Session:
    """The labels of one rater for one task; continues where an earlier session stopped.

    The page knows states only by their position in the order shown. In many sets, rows follow a
    grid, a path to the pose, or a training, which a rater must not know.

    Args:
        states: States to label; the oracle's labels are not used.
        task: Name of the task.
        goals: Sentences that describe success.
        rater: Name of the rater.
        path: Label file; continued if it exists. Other sessions may write to it at the same time.
        sample: Number of states to show; all by default.
        seed: Seed of the order.

    Raises:
        UserError: The name of the rater is not allowed, or the file is not a label file of these
            states, or cannot be written.
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
        self._states = states
        self._fingerprint = fingerprint(states)
        self._order = shown_order(len(states), sample, seed)
        if not _is_writable(path):
            raise UserError(f"--output: {path} cannot be written; choose another file")
        self.answers()

    def __len__(self) -> int:
        return len(self._order)

    @property
    def key(self) -> str:
        """Identifies the session: states, order, task, rater, and file.

        With it, the server refuses answers from a page that was opened for another session.
        """
        names = f"{self._fingerprint} {self.task} {self.goals} {self.rater} ".encode()
        place = os.fsencode(self._path.resolve())
        return hashlib.sha256(names + place + b" " + self._order.tobytes()).hexdigest()[:16]

    def row(self, position: int) -> int:
        """Row of the state shown at ``position``."""
        return int(self._order[position])

    def answers(self) -> list[Answer | None]:
        """The latest answer at each position, as the file has it now.

        Raises:
            UserError: The file cannot be read, or has a malformed line.
        """
        if not self._path.exists():
            return [None] * len(self)
        given = read_answers([self._path], self.task, self._states).get(self.rater, {})
        return [given.get(int(row)) for row in self._order]

    def answer(self, position: int, answer: Answer) -> None:
        """Appends an answer to the file.

        Raises:
            UserError: It cannot be written, and is not in the file.
        """
        state, states = self.row(position), self._fingerprint
        append_label(self._path, Label(self.rater, self.task, state, answer, now(), states))


def _is_writable(path: Path) -> bool:
    """Whether lines can be appended to a file, or it can be created."""
    try:
        if path.exists():
            return path.is_file() and os.access(path, os.W_OK)
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        return folder.is_dir() and os.access(folder, os.W_OK)
    except OSError:  # such as of a name that is too long
        return False
