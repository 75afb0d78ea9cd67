"""Names of scorings, which turn embeddings into rewards.

`alpha-A` is goal-baseline regularization of strength A, `contrast-T` the softmax over the goal and
other sentences at temperature T. The same names stand in configurations, tables, and paths.
"""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import AfterValidator

PLAIN = "alpha-0"
"""The plain cosine similarity; also stands where a reward has no scoring, as references."""

COLDEST, HOTTEST = 1e-4, 100
"""Range of temperatures. Colder ones would turn rounding errors into rewards of 0 and 1."""


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
    # float() reads more: "0_1" as 1, and digits of other scripts.
    number = float(text) if re.fullmatch(r"[0-9]*\.?[0-9]+(e[-+]?[0-9]+)?", text) else math.nan
    fits = {"alpha": 0 <= number <= 1, "contrast": COLDEST <= number <= HOTTEST}
    if not fits.get(kind, False):
        raise ValueError(
            f"'{name}' is no scoring; write alpha-A with A in [0, 1], or contrast-T with T in "
            f"[{COLDEST:g}, {HOTTEST:g}]"
        )
    return f"{kind}-{number:g}"


Scoring = Annotated[str, AfterValidator(canonical_scoring)]
"""`alpha-A` or `contrast-T`, with the number in its shortest form."""
