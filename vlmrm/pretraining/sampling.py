"""States for a corpus: sampled and described in processes, which do without PyTorch."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import EnvironmentName
from vlmrm.machine.processes import map_in_processes
from vlmrm.pretraining.captions import Facts, state_facts
from vlmrm.states.training import sample_training_states
from vlmrm.terminal.bars import bar

STATES_PER_PART = 1000
"""States that one process samples at a time."""


def states_in_scenes(
    environment: EnvironmentName,
    sampled: Mapping[str, int],
    added: Sequence[NDArray[np.float64]],
    seed: int,
    workers: int | None,
) -> tuple[dict[str, int], NDArray[np.float64], list[Facts]]:
    """Samples states for each scene, and deals further ones out to the scenes in turn.

    Args:
        environment: Name of the environment.
        sampled: Number of sampled states of each scene.
        added: Sets of further states ``[M, D]``.
        seed: Random seed.
        workers: Number of processes; by default one per core.

    Returns:
        Number of states of each scene; then N states ``[N, D]`` and their facts, scene by scene.
    """
    count = sum(sampled.values())
    states, facts = _described_states(environment, count, seed, workers)
    rows = np.split(np.arange(count), np.cumsum([*sampled.values()])[:-1])
    for values in added:
        further = len(states) + np.arange(len(values))
        rows = [np.append(some, further[i :: len(rows)]) for i, some in enumerate(rows)]
        states = np.concatenate([states, values])
        facts += state_facts(environment, values)
    order = np.concatenate(rows)
    numbers = dict(zip(sampled, map(len, rows), strict=True))
    return numbers, states[order], [facts[row] for row in order]


def _described_states(
    environment: EnvironmentName, count: int, seed: int, workers: int | None
) -> tuple[NDArray[np.float64], list[Facts]]:
    """States ``[count, D]`` and their facts, whatever the number of workers."""
    sizes = [len(part) for part in np.array_split(range(count), math.ceil(count / STATES_PER_PART))]
    sample = functools.partial(_sample_part, environment, seed)
    parts = map_in_processes(sample, list(enumerate(sizes)), workers)
    title = f"corpus {environment} states"
    states, facts = zip(*bar(parts, desc=title, total=len(sizes), unit="part"), strict=True)
    return np.concatenate(states), list(itertools.chain.from_iterable(facts))


def _sample_part(
    environment: EnvironmentName, seed: int, part: tuple[int, int]
) -> tuple[NDArray[np.float64], list[Facts]]:
    number, size = part
    states = sample_training_states(environment, size, seed, number)
    return states, state_facts(environment, states)
