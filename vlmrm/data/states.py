"""Simulator states with their columns and labels."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vlmrm.data.files import create_hdf5, open_hdf5
from vlmrm.errors import UserError, suggest


@dataclass
class States:
    """Simulator states with their columns and labels.

    Attributes:
        environment: Name of the environment that the states belong to.
        values: Float64 ``[N, D]``, one state vector per row (see the environment for its columns).
        columns: Further columns of ``N`` rows, for example ``origin`` (where the state came from)
            or ``trajectory`` (rows of one trajectory are dependent).
        labels: Oracle name to bool ``[N]``, whether each state fulfills the task.
    """

    environment: str
    values: NDArray[np.float64]
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    labels: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

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
        belong to none become trajectories of their own. The name of its set is added to each
        ``origin``.

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
            file.attrs["environment"] = self.environment
            file["values"] = self.values
            for name, column in self.columns.items():
                # HDF5 has no fixed-width Unicode.
                is_text = column.dtype.kind in "UO"
                file[f"columns/{name}"] = column.astype(object) if is_text else column
            for oracle, labels in self.labels.items():
                file[f"labels/{oracle}"] = labels.astype(bool)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> States:
        with open_hdf5(path, "states") as file:
            columns = {
                name: data.asstr()[:] if data.dtype.kind == "O" else data[:]
                for name, data in file.get("columns", {}).items()
            }
            labels = file.get("labels", {})
            return cls(
                environment=str(file.attrs["environment"]),
                values=file["values"][:],
                columns=columns,
                labels={oracle: data[:] for oracle, data in labels.items()},
            )


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
