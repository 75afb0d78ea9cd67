"""What the page asks: sentences, a model, a scoring, a judge."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from vlmrm.config.loading import CONTROLS, MAX_TEXT
from vlmrm.config.scoring import canonical_scoring
from vlmrm.config.sentences import sentence_problems
from vlmrm.diagnosis.sentences import Sentences
from vlmrm.errors import UserError, shorten, unknown

MAX_SENTENCES = 50
"""Sentences of each kind, at most."""

KINDS = ("goal", "baseline", "contrast", "other")
"""Lists of sentences in a query. The others are compared with the goal, and have no part in it."""


@dataclass(frozen=True)
class Query:
    """A reward, and what is asked about it.

    Attributes:
        model: Name of a model.
        scoring: Name of a scoring.
        sentences: Goals, baselines, and contrasts.
        oracle: The judge; None for the one that fits the goals.
        others: Further sentences to compare the goals with.
    """

    model: str
    scoring: str
    sentences: Sentences
    oracle: str | None = None
    others: tuple[str, ...] = ()


def read_query(content: Any, models: Collection[str], oracles: Collection[str]) -> Query:
    """Reads a query from JSON.

    Args:
        content: Object with model, scoring, oracle (or null), and lists of sentences: goal,
            baseline, contrast, other.
        models: Names of the models.
        oracles: Names of the judges.

    Raises:
        UserError: A value is missing or wrong; names it.
    """
    if not isinstance(content, dict):
        raise UserError("send a JSON object")
    model, scoring, oracle = (content.get(key) for key in ("model", "scoring", "oracle"))
    if not isinstance(model, str) or not isinstance(scoring, str):
        raise UserError("model, scoring: send a text for each")
    if not isinstance(oracle, str | None):
        raise UserError("oracle: send a text or null")
    problems = [*unknown("model", model, models)]
    if oracle is not None:
        problems += unknown("judge", oracle, oracles)
    for problem in problems:
        raise UserError(shorten(problem))
    try:
        scoring = canonical_scoring(scoring)
    except ValueError as error:
        raise UserError(shorten(f"scoring: {error}")) from error
    goals, baselines, contrasts, others = (_sentences(content, kind) for kind in KINDS)
    if not goals:
        raise UserError("sentence: empty; type what the picture should show")
    for kind, problem in sentence_problems(scoring, goals, baselines, contrasts):
        raise UserError(shorten(f"{kind}: {problem}"))
    return Query(model, scoring, Sentences(goals, baselines, contrasts), oracle, tuple(others))


def _sentences(content: dict[str, Any], kind: str) -> list[str]:
    """The different sentences of a kind; blank ones are left out."""
    texts = content.get(kind, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"{kind}: send a list of texts")
    sentences = list(dict.fromkeys(stripped for text in texts if (stripped := text.strip())))
    if len(sentences) > MAX_SENTENCES:
        raise UserError(f"{kind}: more than {MAX_SENTENCES} sentences; leave some out")
    for sentence in sentences:
        if len(sentence) > MAX_TEXT:
            raise UserError(f"{kind}: longer than {MAX_TEXT} characters; shorten the sentence")
        if CONTROLS.search(sentence):
            raise UserError(f"{kind}: has a character that is not shown; type it again")
    return sentences
