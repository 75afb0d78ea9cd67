"""Human labels as CSV files: one line per answer of a rater about a state.

Answers are appended and never changed, so an interruption loses nothing and several raters can
share a file. If a rater answers again, the later line counts. A last line that was not written to
its end, because the disk was full or the machine stopped, counts as not written.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
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
"""Name of the oracle in tables, which no rater may have."""

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
    """Time of the answer, ISO 8601 in UTC."""
    states: str
    """Fingerprint of the state set."""


COLUMNS = tuple(field.name for field in fields(Label))

HEADER = ",".join(COLUMNS)

MAX_NAME_LENGTH = 100
"""Characters of a rater's name, at most."""


def fingerprint(states: States) -> str:
    """Sixteen hexadecimal digits that identify a state set, whatever its file.

    Values are rounded to a millionth, because their last bits may differ between machines.
    """
    rounded = np.round(states.values, 6) + 0.0  # turns -0 into 0
    digest = hashlib.sha256(f"{states.environment} {rounded.shape} ".encode())
    digest.update(np.ascontiguousarray(rounded, dtype="<f8").tobytes())
    return digest.hexdigest()[:16]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def check_rater(name: str) -> str:
    """Checks the name of a rater, and returns it without spaces around it.

    Raises:
        ValueError: The name is blank, not a single printable line, too long, or that of the oracle.
    """
    if not name.strip() or not name.isprintable():
        raise ValueError("a rater's name must be one printable line and not blank")
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"a rater's name must have at most {MAX_NAME_LENGTH} characters")
    if name.strip().lower() == ORACLE:
        raise ValueError(f"'{name}' is the name of the oracle in tables; choose another name")
    return name.strip()


def check_answer(text: object) -> Answer:
    """Checks that a text is one of `ANSWERS`.

    Raises:
        ValueError: It is not.
    """
    for known in ANSWERS:
        if text == known:
            return known
    raise ValueError(f"label is {text!r}, but must be {', '.join(ANSWERS)}")


def append_label(path: str | os.PathLike[str], label: Label) -> None:
    """Appends a line to a file, which is created if it does not exist, and flushes it to the disk.

    Several threads and processes may append to the same file.

    Raises:
        UserError: The file is not a label file, has a malformed line or one of this task about
            other states, or cannot be written. It keeps the lines that it had.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(astuple(label))
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: closing the file must not write what could not be written before.
        with open(path, "ab+", buffering=0) as file:  # noqa: PTH123
            lock_descriptor(file.fileno())  # until the file is closed
            file.seek(0)
            known = _without_torn_line(file.read())
            for number, earlier in _parse(known, path):
                if earlier.task == label.task:
                    _same_states(earlier, label.states, f"{path}:{number}")
            start = "" if known.endswith(b"\n") else "\n" if known else f"{HEADER}\n"
            file.truncate(len(known))
            try:
                _write(file, f"{start}{text.getvalue()}".encode())
            except OSError:
                file.truncate(len(known))
                raise
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); fix that and answer again"
        ) from error


def read_answers(
    paths: Sequence[str | os.PathLike[str]], task: str, states: States
) -> dict[str, dict[int, Answer]]:
    """Reads the answers about one task, of all raters in the order of their first answer.

    Args:
        paths: Label files. If a rater answered again, the later line or file counts.
        task: Name of the task; lines of other tasks are checked but left out.
        states: The labeled states.

    Raises:
        UserError: A file is missing or not a label file, a line is malformed, or its label belongs
            to other states; names the file and the line.
    """
    known = fingerprint(states)
    answers: dict[str, dict[int, Answer]] = {}
    for path in paths:
        for number, label in _read(path):
            if label.task != task:
                continue
            _same_states(label, known, f"{path}:{number}")
            if label.state >= len(states):
                raise UserError(
                    f"{path}:{number}: there is no state {label.state}, only {len(states)} states"
                )
            answers.setdefault(label.rater, {})[label.state] = label.label
    return answers


def check_label_file(path: str | os.PathLike[str]) -> None:
    """Checks what can be known of a label file without the states.

    Raises:
        UserError: The file is missing or not a label file, or a line is malformed.
    """
    for _ in _read(path):
        pass


def majority(answers: Answers) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The majority's labels: rows of states, ascending ``[M]``, and whether each fulfills the task.

    Only yes and no count as votes. States without votes or with a tie are left out.
    """
    balance: dict[int, int] = {}
    for given in answers.values():
        for state, answer in given.items():
            vote = {"yes": 1, "no": -1, "unsure": 0}[answer]
            balance[state] = balance.get(state, 0) + vote
    rows = sorted(state for state, votes in balance.items() if votes)
    fulfilled = [balance[state] > 0 for state in rows]
    return np.array(rows, dtype=np.int64), np.array(fulfilled, dtype=np.bool_)


def _same_states(label: Label, states: str, place: str) -> None:
    """Refuses a label that is about other states than those of this fingerprint."""
    if label.states != states:
        raise UserError(
            f"{place}: labels state set {label.states}, but these states are {states}; give the "
            "states that were labeled, or another file"
        )


def _write(file: io.FileIO, content: bytes) -> None:
    """Writes everything to the disk, which may take only a part before it is full."""
    while content:
        content = content[file.write(content) :]
    os.fsync(file.fileno())


def _without_torn_line(content: bytes) -> bytes:
    """The content of a label file without a last line that was not written to its end.

    A line that lacks only its end-of-line is complete: editors leave it out.
    """
    start = max(content.rfind(b"\n"), content.rfind(b"\r")) + 1
    last = content[start:]
    if start:
        torn = not re.search(rb',"?[0-9a-f]{16}"?$', last)  # the fingerprint
    else:
        torn = HEADER[:-1].encode().startswith(last)
    return content[:start] if torn else content


def _read(path: str | os.PathLike[str]) -> Iterator[tuple[int, Label]]:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    return _parse(_without_torn_line(content), path)


def _parse(content: bytes, path: str | os.PathLike[str]) -> Iterator[tuple[int, Label]]:
    """Yields the lines after the header, each with its number, counted from 1."""
    try:
        # utf-8-sig: spreadsheets write a byte-order mark.
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        if tuple(next(lines, COLUMNS)) != COLUMNS:
            raise UserError(f"{path}:1: the columns must be {HEADER}")
        for line in lines:
            if line:
                yield lines.line_num, _parse_line(line, f"{path}:{lines.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error})") from error


def _parse_line(line: list[str], place: str) -> Label:
    if len(line) != len(COLUMNS):
        raise UserError(f"{place}: has {len(line)} of {len(COLUMNS)} columns; correct or delete it")
    rater, task, state, answer, time, states = line
    try:
        if not (state.isascii() and state.isdigit()):
            raise ValueError(f"state is {state!r}, but must be a row number from 0 on")
        datetime.fromisoformat(time)
        return Label(check_rater(rater), task, int(state), check_answer(answer), time, states)
    except ValueError as error:
        raise UserError(f"{place}: {error}") from error
