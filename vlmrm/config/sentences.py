"""Whether a scoring has the sentences that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from vlmrm.config.references import say_the_same
from vlmrm.config.scoring import alpha_of, temperature_of


def lacking_sentences(
    scoring: str, goals: list[str], baselines: list[str], contrasts: list[str]
) -> Iterator[tuple[str, str]]:
    """Kinds of sentences (baseline, contrast) that a scoring lacks, each with the problem."""
    needed = (
        ("baseline", alpha_of(scoring), baselines),
        ("contrast", temperature_of(scoring), contrasts),
    )
    for kind, number, sentences in needed:
        if number and not sentences:
            yield kind, f"missing; {scoring} needs one"
        elif number and say_the_same(goals, sentences):
            yield kind, f"says the same as the goal; {scoring} needs another"
