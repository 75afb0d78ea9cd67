"""What people say of states, as a CSV: who, of which state, and whether it fulfills the task.

A line is added with every answer and none is ever changed, so that an interruption loses nothing
and several raters can share a file. Where a rater answers again, the later line counts.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from filelock import lock_descriptor
from numpy.typing import NDArray

from vlmrm.data.states import States
from vlmrm.errors import UserError

Answer = Literal["yes", "no", "unsure"]

ANSWERS: tuple[Answer, ...] = get_args(Answer)

ORACLE = "oracle"
"""No rater's name, since tables name the oracle so."""

Answers = Mapping[str, Mapping[int, Answer]]
"""Rater to row of the state to answer."""


@dataclass(frozen=True)
class Label:
    """One line of the file."""

    rater: str
    task: str
    state: int
    """Row of the state in its set."""
    label: Answer
    time: str
    """When it was given, ISO 8601 in UTC."""
    states: str
    """Fingerprint of the state set."""


COLUMNS = tuple(field.name for field in fields(Label))


def fingerprint(states: States) -> str:
    """Sixteen hexadecimal digits that tell a state set from others, whatever file it lies in.

    Values count to a millionth: their last bits may differ from machine to machine.
    """
    rounded = np.round(states.values, 6) + 0.0  # turns -0 into 0
    digest = hashlib.sha256(f"{states.environment} {rounded.shape} ".encode())
    digest.update(np.ascontiguousarray(rounded, dtype="<f8").tobytes())
    return digest.hexdigest()[:16]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def check_rater(name: str) -> str:
    """A rater's name as it is written.

    Raises:
        ValueError: It is blank, or not a single printable line, or the oracle's.
    """
    if not name.strip() or not name.isprintable():
        raise ValueError("a rater's name must be one printable line and not blank")
    if name.strip().lower() == ORACLE:
        raise ValueError(f"'{name}' is how tables name the oracle; choose another name")
    return name.strip()


def check_answer(text: object) -> Answer:
    """One of `ANSWERS`.

    Raises:
        ValueError: It is something else.
    """
    for known in ANSWERS:
        if text == known:
            return known
    raise ValueError(f"label is {text!r}, but must be {', '.join(ANSWERS)}")


def append_label(path: str | os.PathLike[str], label: Label) -> None:
    """Adds a line, which is on the disk when this returns; makes the file if there is none.

    Several threads and processes may add to the same file.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+") as file:  # noqa: PTH123
        lock_descriptor(file.fileno())  # until the file is closed
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if file.seek(0, os.SEEK_END) == 0:
            writer.writerow(COLUMNS)
        elif not _ends_with_newline(file):
            text.write("\n")
        writer.writerow(astuple(label))
        file.write(text.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())


def read_answers(
    paths: Sequence[str | os.PathLike[str]], task: str, states: States
) -> dict[str, dict[int, Answer]]:
    """The answers of one task, of all raters in the order of their first answer.

    Args:
        paths: Files of labels; where a rater answered again, the later line counts, and the later
            file.
        task: Name of the task; lines of other tasks are checked but left out.
        states: What was labeled.

    Raises:
        UserError: A file is missing or is no file of labels, a line is malformed, or labels of the
            task were given to other states; names file and line.
    """
    known = fingerprint(states)
    answers: dict[str, dict[int, Answer]] = {}
    for path in paths:
        for number, label in _read(Path(path)):
            if label.task != task:
                continue
            if label.states != known:
                raise UserError(
                    f"{path}:{number}: labels state set {label.states}, but these states are "
                    f"{known}; give the states that were labeled, or another file"
                )
            if label.state >= len(states):
                raise UserError(
                    f"{path}:{number}: state {label.state} is beyond the {len(states)} states"
                )
            answers.setdefault(label.rater, {})[label.state] = label.label
    return answers


def majority(answers: Answers) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """What most raters say: decided states, ascending ``[M]``, and whether each fulfills the task.

    Who is unsure of a state does not vote on it. States without votes, or with as many yes as no,
    are left out.
    """
    balance: dict[int, int] = {}
    for given in answers.values():
        for state, answer in given.items():
            vote = {"yes": 1, "no": -1, "unsure": 0}[answer]
            balance[state] = balance.get(state, 0) + vote
    decided = sorted(state for state, votes in balance.items() if votes)
    fulfilled = [balance[state] > 0 for state in decided]
    return np.array(decided, dtype=np.int64), np.array(fulfilled, dtype=np.bool_)


def _ends_with_newline(file: io.BufferedRandom) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _read(path: Path) -> Iterator[tuple[int, Label]]:
    """The lines of a file behind its header, each with its number, counted from 1."""
    try:
        # Spreadsheets write a byte-order mark.
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            header = next(lines, [])
            if tuple(header) != COLUMNS:
                raise UserError(f"{path}:1: the columns must be {','.join(COLUMNS)}")
            for line in lines:
                if line:
                    yield lines.line_num, _parse(line, f"{path}:{lines.line_num}")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error})") from error


def _parse(line: list[str], place: str) -> Label:
    if len(line) != len(COLUMNS):
        raise UserError(f"{place}: has {len(line)} of {len(COLUMNS)} columns; mend or delete it")
    rater, task, state, answer, time, states = line
    try:
        if not (state.isascii() and state.isdigit()):
            raise ValueError(f"state is {state!r}, but must be a row number from 0 on")
        datetime.fromisoformat(time)
        return Label(check_rater(rater), task, int(state), check_answer(answer), time, states)
    except ValueError as error:
        raise UserError(f"{place}: {error}") from error


def check_environment(task: str, environment: str, states: States, path: Path) -> None:
    """Refuses states of another environment than the task's.

    Raises:
        UserError: They are of another one.
    """
    if states.environment != environment:
        raise UserError(
            f"{path}: holds {states.environment} states, but '{task}' is a {environment} task"
        )
