"""Captions of simulator states: facts about a state, and many phrasings of each fact.

No caption equals a published task prompt: captions that name the humanoid as the prompts do ("a
humanoid robot") open with other words, and those of classic control say the same facts otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import EnvironmentName
from vlmrm.pretraining.facts import describe_clearly

Facts = dict[str, str]

UNCLEAR = ""
"""Stands for a fact that a picture does not show clearly, and that its `Facts` lack."""

Phrases = dict[str, tuple[str, ...]]
"""A fact's values, and the phrasings of each."""


def state_facts(environment: EnvironmentName, states: NDArray[np.float64]) -> list[Facts]:
    """Facts of each state ``[N, D]``: the name of a fact to its value in a closed vocabulary.

    Facts of the humanoid that a viewer could not be sure of are missing.
    """
    if environment == "humanoid":
        return describe_clearly(states)
    facts = _cartpole_facts if environment == "cartpole" else _mountain_car_facts
    return [facts(state) for state in states]


def write_caption(
    environment: EnvironmentName, facts: Mapping[str, str], rng: np.random.Generator
) -> str:
    """One of many sentences that tell some of the facts; a generic one where there are none."""
    if not facts:
        return generic_caption(environment, rng)
    told = [fact for fact in PHRASES[environment] if fact in facts]
    leading = LEADING[environment] if LEADING[environment] in facts else told[0]
    # Usually the leading fact and a random part of the others, at times one of the others alone.
    others = [fact for fact in told if fact != leading and rng.random() < 0.45]
    chosen = [leading, *others] if rng.random() < 0.9 or not others else others
    phrases = [str(rng.choice(PHRASES[environment][fact][facts[fact]])) for fact in chosen]
    opening = str(rng.choice(OPENINGS[environment]))
    return f"{opening} {', '.join(phrases)}"


def generic_caption(environment: EnvironmentName, rng: np.random.Generator) -> str:
    """A sentence that fits every picture of the environment."""
    return str(rng.choice(GENERIC[environment]))


def _level(value: float, limits: tuple[float, ...], names: tuple[str, ...]) -> str:
    return names[int(np.searchsorted(limits, value))]


def _cartpole_facts(state: NDArray[np.float64]) -> Facts:
    """Lean of the pole and place of the cart; the picture shows nothing else."""
    lean = (np.degrees(state[2]) + 180) % 360 - 180
    size = _level(
        abs(lean),
        (1.5, 4, 8, 15, 30, 60, 120),
        ("none", "trace", "slight", "small", "clear", "strong", "flat", "down"),
    )
    side = "right" if lean > 0 else "left"
    return {
        "lean": size if size in ("none", "down") else f"{size}-{side}",
        "cart": _level(state[0], (-1.2, -0.4, 0.4, 1.2), PLACES),
    }


def _mountain_car_facts(state: NDArray[np.float64]) -> Facts:
    """Place of the car on the slope."""
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
    return {"place": _level(state[0], (-1.0, -0.8, -0.62, -0.42, -0.15, 0.15, 0.4), places)}


PLACES = ("far-left", "left", "centre", "right", "far-right")

LEADING = {"humanoid": "posture", "cartpole": "lean", "mountain-car": "place"}
"""The fact that most captions tell."""

OPENINGS = {
    "humanoid": (
        "a robot",
        "the robot is",
        "a robot is",
        "a picture of a humanoid robot",
        "a photo of a robot",
        "an image of a humanoid robot that is",
        "a simulated humanoid",
        "the humanoid robot in this picture is",
        "here a humanoid robot is",
    ),
    "cartpole": ("a pole", "the pole is", "a cart with a pole", "on the cart, a pole", "the pole"),
    "mountain-car": ("a car", "the car is", "a small car", "a red car", "the vehicle is"),
}

GENERIC = {
    "humanoid": (
        "a picture of a humanoid robot",
        "a simulated humanoid robot on a floor",
        "a rendering of some humanoid robot",
        "there is a humanoid robot",
        "the robot in some posture",
    ),
    "cartpole": (
        "a pole and a cart",
        "a cart on a track with a pole",
        "the pole and the cart",
        "a drawing of a cart with a pole",
    ),
    "mountain-car": (
        "a car in the mountains",
        "the car in a mountain landscape",
        "a car somewhere on a mountain",
        "a hill with a car",
    ),
}

_LEAN: Phrases = {
    "trace": ("a trace off the vertical, to the {}", "a hair off balance to the {}"),
    "slight": ("leaning very slightly to the {}", "tilted a few degrees to the {}"),
    "small": ("leaning slightly to the {}", "tilted about ten degrees to the {}"),
    "clear": ("leaning to the {}", "tilted some twenty degrees to the {}", "falling to the {}"),
    "strong": ("leaning far to the {}", "strongly tilted to the {}"),
    "flat": ("lying nearly flat to the {}", "horizontal, pointing to the {}", "fallen to the {}"),
}

_CART_PLACE: Phrases = {
    "far-left": ("the cart at the left edge", "the cart far to the left"),
    "left": ("the cart left of the middle", "the cart to the left"),
    "centre": ("the cart in the middle", "the cart at the centre"),
    "right": ("the cart right of the middle", "the cart to the right"),
    "far-right": ("the cart at the right edge", "the cart far to the right"),
}

_POSTURES: Phrases = {
    "standing": (
        "standing",
        "standing up",
        "standing upright on its feet",
        "on its feet, upright",
        "up on its legs",
    ),
    "leaning": ("tilting over", "losing its balance", "about to fall", "leaning over on its feet"),
    "bowing": ("bowing", "bent over at the hips", "bending forward on its feet"),
    "squatting": ("squatting", "crouching", "with bent knees, crouched on its feet"),
    "kneeling": (
        "kneeling on the floor",
        "on its knees",
        "on both knees, upright",
        "down on its knees",
        "that kneels",
        "kneeling down",
    ),
    "heel-sitting": (
        "sitting on its heels",
        "sitting back on its heels",
        "seated on its own heels",
        "resting its weight on its heels, shins on the floor",
    ),
    "half-kneeling": ("on one knee", "with one knee on the floor", "half kneeling, one foot down"),
    "crawling": ("crawling", "on all fours", "on hands and knees"),
    "sitting": ("sitting", "sitting on the floor", "seated on the floor", "seated down"),
    "lotus": (
        "in the lotus position",
        "meditating on the floor",
        "sitting cross-legged",
        "seated with crossed legs, meditating",
        "seated in the lotus pose",
    ),
    "splits": (
        "doing the splits",
        "in the side splits on the floor",
        "practicing the splits like a gymnast",
        "on the floor, legs stretched out to both sides",
        "doing gymnastics, legs spread flat to the sides",
    ),
    "lying-on-back": ("lying on its back", "on its back", "flat on the floor, face up"),
    "lying-face-down": ("lying face down", "lying on its front", "flat on the floor, face down"),
    "lying-on-side": ("lying on its side", "fallen on its side", "on the floor, on one side"),
    "in-mid-air": ("in mid-air", "jumping", "floating above the floor"),
}

_ARMS: Phrases = {
    "raised": (
        "both arms raised",
        "its arms up in the air",
        "hands above the head",
        "with both arms up",
    ),
    "one-raised": ("one arm raised", "one hand above the head"),
    "on-hips": ("hands on its hips", "with its hands on the hips", "arms akimbo"),
    "one-on-hip": ("one hand on the hip", "one arm akimbo"),
    "crossed": ("arms crossed", "with crossed arms", "its arms crossed in front of the chest"),
    "together": ("hands together in front", "its hands touching each other"),
    "spread": ("arms spread to the sides", "arms stretched out sideways"),
    "forward": ("arms stretched forward", "reaching out to the front"),
    "hanging": ("arms hanging down", "arms at its sides", "with hanging arms"),
    "bent": ("arms bent", "its elbows bent"),
}

_LEGS: Phrases = {
    "one-lifted": (
        "one leg lifted",
        "on one leg",
        "one foot off the floor",
        "balancing on a single leg",
    ),
    "apart": ("legs apart", "its legs spread"),
    "together": ("legs together", "its feet side by side"),
    "in-between": ("legs slightly apart", "its feet a bit apart"),
}

PHRASES: dict[str, dict[str, Phrases]] = {
    "humanoid": {"posture": _POSTURES, "arms": _ARMS, "legs": _LEGS},
    "cartpole": {
        "lean": {
            "none": (
                "perfectly upright",
                "standing vertically upright",
                "vertically upright",
                "balanced vertically on the cart",
                "straight up on top of the cart",
                "exactly vertical on top of it",
                "upright above the cart",
                "vertical on top of its cart",
            ),
            "down": ("hanging straight down", "upside down below the cart", "pointing downwards"),
            **{
                f"{size}-{side}": tuple(phrase.format(side) for phrase in phrases)
                for size, phrases in _LEAN.items()
                for side in ("left", "right")
            },
        },
        "cart": _CART_PLACE,
    },
    "mountain-car": {
        "place": {
            "left-top": ("at the far left, high up", "at the top of the left slope"),
            "left-high": ("high on the left slope", "on the upper left slope"),
            "left-low": ("low on the left slope", "a bit left of the valley"),
            "valley": ("at the bottom of the valley", "in the valley", "at the lowest point"),
            "right-low": ("low on the right slope", "a bit right of the valley"),
            "right-middle": ("half way up the right slope", "climbing the mountain on the right"),
            "right-high": ("high on the right slope, below the flag", "close to the peak"),
            "summit": (
                "on the peak, at the yellow flag",
                "next to the yellow flag on the mountain top",
                "at the peak of the hill beside the flag",
                "on top of the mountain by the yellow flag",
            ),
        },
    },
}
