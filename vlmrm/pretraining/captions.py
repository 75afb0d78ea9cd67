"""Writes captions of simulator states: facts about a state, in many phrasings.

No caption equals a task prompt of the paper: captions that call
the humanoid "a humanoid robot", as the prompts do, begin differently, and those of classic control
state the same facts in other words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import EnvironmentName
from vlmrm.envs.cartpole import MAX_CART_POSITION, pole_in_sight
from vlmrm.envs.mountain_car import GOAL_POSITION
from vlmrm.pretraining.facts import describe_clearly
from vlmrm.pretraining.phrases import GENERIC, LEADING, OPENINGS, PHRASES

Facts = dict[str, str]

OTHERS = 0.35
"""Probability that a caption also states a fact that is not the leading one."""

CART_PLACES = ("far-left", "left", "center", "right", "far-right")


def state_facts(environment: EnvironmentName, states: NDArray[np.float64]) -> list[Facts]:
    """The facts of each state ``[N, D]``: names of facts to values in a closed vocabulary.

    Facts about the humanoid that a viewer could not be sure of are left out.
    """
    if environment == "humanoid":
        return describe_clearly(states)
    facts = _cartpole_facts if environment == "cartpole" else _mountain_car_facts
    return [facts(state) for state in states]


@dataclass(frozen=True)
class Caption:
    """A sentence, and the facts that it states."""

    text: str
    facts: Facts


def write_caption(
    environment: EnvironmentName, facts: Mapping[str, str], rng: np.random.Generator
) -> Caption:
    """A random caption that states some of the facts; a generic one if there are none."""
    if not facts:
        return generic_caption(environment, rng)
    known = [fact for fact in PHRASES[environment] if fact in facts]
    leading = LEADING[environment] if LEADING[environment] in facts else known[0]
    # Usually the leading fact and some of the others, sometimes only others.
    others = [fact for fact in known if fact != leading and rng.random() < OTHERS]
    stated = [leading, *others] if rng.random() < 0.9 or not others else others
    phrases = [_choice(PHRASES[environment][fact][facts[fact]], rng) for fact in stated]
    text = f"{_choice(OPENINGS[environment], rng)} {', '.join(phrases)}"
    return Caption(text, {fact: facts[fact] for fact in stated})


def generic_caption(environment: EnvironmentName, rng: np.random.Generator) -> Caption:
    """A random caption that fits every frame of the environment."""
    return Caption(_choice(GENERIC[environment], rng), {})


def _choice(texts: tuple[str, ...], rng: np.random.Generator) -> str:
    return texts[rng.integers(len(texts))]


def _level(value: float, limits: tuple[float, ...], names: tuple[str, ...]) -> str:
    return names[int(np.searchsorted(limits, value))]


def _cartpole_facts(state: NDArray[np.float64]) -> Facts:
    """The pole's lean and the cart's place, if they are in sight; a frame shows nothing else."""
    x, theta = state[0], state[2]
    lean = (np.degrees(theta) + 180) % 360 - 180
    size = _level(
        abs(lean),
        (1.5, 4, 8, 15, 30, 60, 120),
        ("none", "trace", "slight", "small", "clear", "strong", "flat", "down"),
    )
    side = "right" if lean > 0 else "left"
    facts = {}
    if pole_in_sight(x, theta):
        facts["lean"] = size if size in ("none", "down") else f"{size}-{side}"
    if abs(x) < MAX_CART_POSITION:
        facts["cart"] = _level(x, (-1.2, -0.4, 0.4, 1.2), CART_PLACES)
    return facts


def _mountain_car_facts(state: NDArray[np.float64]) -> Facts:
    """The car's place on the slope."""
    places = (
        "left-top",
        "left-high",
        "left-low",
        "valley",
        "right-low",
        "right-middle",
        "right-high",
        "summit",
    )
    limits = (-1.0, -0.8, -0.62, -0.42, -0.15, 0.15, GOAL_POSITION)
    return {"place": _level(state[0], limits, places)}
