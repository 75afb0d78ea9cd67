"""Which facts states show, and how far they are from showing others.

A fact is true or not, but an agent on its way to a sentence passes through states that come closer
to it, and its reward has to rise on the way. So each value of a fact is defined by criteria with
margins, as the oracles are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import EnvironmentName
from vlmrm.pretraining.captions import PHRASES, Facts
from vlmrm.pretraining.classic_facts import cartpole_margins, mountain_car_margins
from vlmrm.pretraining.humanoid_facts import Margins, humanoid_margins
from vlmrm.tasks.body import Floats
from vlmrm.tasks.poses import nudged

NUDGES = 6
"""Number of neighboring states."""
AGREEING = 5
"""Number of neighbors that share a fact that is clear."""
NUDGE = 0.5
"""Distance of the neighbors, in units of what is visible."""

_MARGINS = {
    "humanoid": humanoid_margins,
    "cartpole": cartpole_margins,
    "mountain-car": mountain_car_margins,
}


def describe(environment: EnvironmentName, states: Floats) -> list[Facts]:
    """The value of every fact of each state ``[N, D]``."""
    return _by_state(_values(_MARGINS[environment](states)))


def describe_clearly(environment: EnvironmentName, states: Floats) -> list[Facts]:
    """The facts of each state ``[N, D]`` that a viewer would agree on.

    Halfway between sitting and lying, a frame shows neither. A fact of the humanoid is left out
    unless most neighbors of the state share it, in which joints, lean, and height differ by less
    than can be seen.
    """
    if environment != "humanoid":
        return describe(environment, states)
    values = _values(humanoid_margins(states))
    agreeing = {fact: np.zeros(len(states), dtype=int) for fact in values}
    rng = np.random.default_rng(0)
    for _ in range(NUDGES):
        for fact, others in _values(humanoid_margins(nudged(states, rng, NUDGE))).items():
            agreeing[fact] += others == values[fact]
    return [
        {fact: value for fact, value in facts.items() if agreeing[fact][row] >= AGREEING}
        for row, facts in enumerate(_by_state(values))
    ]


def distances(environment: EnvironmentName, states: Floats) -> NDArray[np.float32]:
    """How far each state ``[N, D]`` is from each value of each fact.

    The distance is the norm of the value's negative margins, as in an oracle's score: 0 exactly
    where it is true.

    Returns:
        Float32 ``[N, V]``, with the values in the order of `PHRASES`.
    """
    margins = _MARGINS[environment](states)
    columns = [
        np.linalg.norm(np.minimum(margins[fact][value], 0), axis=1)
        for fact, values in PHRASES[environment].items()
        for value in values
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _values(margins: dict[str, Margins]) -> dict[str, NDArray[np.str_]]:
    """The value of every fact: the first of which no margin is negative."""
    return {
        fact: np.array(list(values))[
            np.argmax([np.all(criteria >= 0, axis=1) for criteria in values.values()], axis=0)
        ]
        for fact, values in margins.items()
    }


def _by_state(values: dict[str, NDArray[np.str_]]) -> list[Facts]:
    return [
        dict(zip(values, map(str, row), strict=True)) for row in zip(*values.values(), strict=True)
    ]
