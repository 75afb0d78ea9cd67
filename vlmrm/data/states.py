"""Simulator states with their columns and labels."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from vlmrm.data.files import (
    create_hdf5,
    open_hdf5,
    put,
    reading,
    require,
    text_attribute,
    texts,
)
from vlmrm.errors import UserError, suggest

WIDTHS: dict[str, int] = {"cartpole": 4, "mountain-car": 2, "humanoid": 47}
"""Numbers of a state of each shipped environment; those of others have any number."""


@dataclass
class States:
    """Simulator states with their columns and labels.

    Attributes:
        environment: Name of the environment that the states belong to.
        values: Float64 ``[N, D]``, one state vector per row (see the environment for its columns).
        columns: Further columns of ``N`` rows, for example ``origin`` (where the state came from)
            or ``trajectory`` (rows of one trajectory are dependent). With ``step``, the number of
            its step in the trajectory, a row has a past: the rows of earlier steps.
        labels: Oracle name to bool ``[N]``, whether each state fulfills the task.
        names: Names of the ``D`` entries of a state, where the environment is the user's own.
    """

    environment: str
    values: NDArray[np.float64]
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    labels: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.values)

    def check_environment(self, path: str | os.PathLike[str], task: str, environment: str) -> None:
        """Checks that the states belong to the environment of a task.

        Args:
            path: File of the states, for the error.
            task: Name of the task.
            environment: Its environment.

        Raises:
            UserError: The states belong to another environment.
        """
        if self.environment != environment:
            raise UserError(
                f"{path}: contains {self.environment} states, but '{task}' is a {environment} task"
            )

    def oracle_labels(self, task: str, oracle: str | None) -> NDArray[np.bool_]:
        """The labels ``[N]`` of a task's oracle.

        Raises:
            UserError: The states have no labels of this oracle.
        """
        if oracle not in self.labels:
            hint = suggest(str(oracle), self.labels)
            raise UserError(f"tasks.{task}.oracle: the states have no labels of '{oracle}'{hint}")
        return self.labels[oracle]

    @classmethod
    def join(cls, sets: Mapping[str, States]) -> States:
        """The states of several sets of one environment, by their names, one set after the other.

        Labels and columns that some sets lack are left out, except ``trajectory``: states that
        belong to none become trajectories of their own; and ``step``, which is 0 for states without
        a past. The name of its set is added to each ``origin``.

        Raises:
            UserError: A set belongs to another environment.
        """
        parts = list(sets.values())
        for name, part in sets.items():
            if part.environment != parts[0].environment:
                raise UserError(f"{name}: contains {part.environment} states; join others apart")
        columns = {key: [part.columns[key] for part in parts] for key in _common("columns", parts)}
        columns["origin"] = [
            np.char.add(f"{name}: ", part.columns.get("origin", np.full(len(part), "")).astype(str))
            for name, part in sets.items()
        ]
        if any("trajectory" in part.columns for part in parts):
            columns["trajectory"] = _numbered_on(
                [part.columns.get("trajectory", np.arange(len(part))) for part in parts]
            )
        if any("step" in part.columns for part in parts):
            columns["step"] = [
                part.columns.get("step", np.zeros(len(part), dtype=int)) for part in parts
            ]
        return cls(
            parts[0].environment,
            np.concatenate([part.values for part in parts]),
            {key: np.concatenate(values) for key, values in columns.items()},
            {
                oracle: np.concatenate([part.labels[oracle] for part in parts])
                for oracle in _common("labels", parts)
            },
        )

    def write(self, path: str | os.PathLike[str], **context: Any) -> None:
        """Writes the set to ``path``; ``context`` (settings, seed) is added to the provenance."""
        with create_hdf5(path, "states", context) as file:
            file.attrs["environment"] = np.bytes_(self.environment)
            put(file, "values", self.values)
            if self.names:
                put(file, "names", self.names)
            for name, column in self.columns.items():
                put(file, f"columns/{name}", column)
            for oracle, labels in self.labels.items():
                put(file, f"labels/{oracle}", labels.astype(bool))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> States:
        """Reads a set.

        Raises:
            UserError: The file is missing, damaged, or of another kind, or its content is no set of
                states: another number of columns than the environment has, or values that are not
                finite.
        """
        with open_hdf5(path, "states") as file, reading(path):
            columns = {
                name: texts(data) if data.dtype.kind == "S" else data[:]
                for name, data in _group(file, "columns").items()
            }
            labels = _group(file, "labels")
            states = cls(
                environment=text_attribute(file, "environment"),
                values=file["values"][:],
                columns=columns,
                labels={oracle: data[:] for oracle, data in labels.items()},
                names=texts(file["names"]).tolist() if "names" in list(file) else [],
            )
        states._check(path)
        return states

    def _check(self, path: str | os.PathLike[str]) -> None:
        environment, values = self.environment, self.values
        require(path, values.ndim == 2, f"its states are {list(values.shape)}, not [N, D]")
        width = WIDTHS.get(environment, values.shape[1])
        require(
            path,
            values.shape[1] == width,
            f"a state of {environment} is {width} numbers, not {list(values.shape[1:])}",
        )
        require(path, bool(np.isfinite(values).all()), "contains states that are not finite")
        named = len(self.names) in (0, values.shape[1])
        require(path, named, f"names {len(self.names)} of {values.shape[1]} numbers of a state")
        for name, column in {**self.columns, **self.labels}.items():
            require(
                path, len(column) == len(values), f"{name}: {len(column)} of {len(values)} rows"
            )


def _group(file: h5py.File, name: str) -> Mapping[str, h5py.Dataset]:
    """A group that may be left out. HDF5 says of a damaged one that it does not exist."""
    group: Mapping[str, h5py.Dataset] = file[name] if name in list(file) else {}
    return group


def _common(part: Literal["columns", "labels"], sets: Sequence[States]) -> list[str]:
    """Names of columns or labels that all sets have."""
    first, *others = (getattr(states, part) for states in sets)
    return [name for name in first if all(name in other for other in others)]


def _numbered_on(trajectories: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Numbers of trajectories, such that those of different sets differ."""
    numbered: list[NDArray[np.int64]] = []
    start = 0
    for numbers in trajectories:
        distinct, numbers = np.unique(numbers, return_inverse=True)
        numbered.append(numbers + start)
        start += len(distinct)
    return numbered
