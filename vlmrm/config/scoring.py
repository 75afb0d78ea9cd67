"""Names of scorings, which turn embeddings into rewards.

`alpha-A` is goal-baseline regularization of strength A, `contrast-T` the softmax over the goal and
other sentences at temperature T. The same names stand in configurations, tables, and paths.
"""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator

PLAIN = "alpha-0"
"""The plain cosine similarity; also stands where a reward has no scoring, as references."""


def alpha_of(scoring: str) -> float | None:
    """The strength of goal-baseline regularization in [0, 1]; None for a contrast."""
    return _number(scoring, "alpha")


def temperature_of(scoring: str) -> float | None:
    """The temperature of a contrast, above 0; None for goal-baseline regularization."""
    return _number(scoring, "contrast")


def scoring_order(scoring: str) -> tuple[str, float]:
    """Sorts scorings: alphas by strength, then contrasts by temperature."""
    kind, _, number = scoring.partition("-")
    return kind, float(number)


def _number(scoring: str, kind: str) -> float | None:
    prefix, _, number = scoring.partition("-")
    return float(number) if prefix == kind else None


def canonical_scoring(name: str) -> str:
    """The name with its number in the shortest form, as in paths: `alpha-0.50` is `alpha-0.5`.

    Raises:
        ValueError: It names no scoring, or its number is out of range.
    """
    kind, _, text = name.partition("-")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    fits = {"alpha": 0 <= number <= 1, "contrast": 0 < number <= 100}
    if not fits.get(kind, False):
        raise ValueError(
            f"'{name}' is no scoring; write alpha-A with A in [0, 1], or contrast-T with T above 0"
        )
    return f"{kind}-{number:g}"


Scoring = Annotated[str, AfterValidator(canonical_scoring)]
"""`alpha-A` or `contrast-T`, with the number in its shortest form."""
