"""Whether the sentences of a scoring are there, and differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from vlmrm.config.scoring import alpha_of, temperature_of

if TYPE_CHECKING:
    from vlmrm.config.config import Config


def sentence_problems(
    scoring: str, goals: list[str], baselines: list[str], contrasts: list[str]
) -> Iterator[tuple[str, str]]:
    """Kinds of sentences (baseline, contrast) that do not suit a scoring, each with the problem."""
    if alpha_of(scoring):
        if not baselines:
            yield "baseline", f"missing; {scoring} needs one"
        elif say_the_same(goals, baselines):
            yield "baseline", f"says the same as the goal; {scoring} needs another"
    if temperature_of(scoring) and not contrasts:
        yield "contrast", f"missing; {scoring} needs one"
    for sentence in contrasts:
        if not different([sentence], goals):
            yield "contrast", f"'{sentence}' is the goal too; remove it"


def task_sentence_problems(config: Config, task: str, scorings: list[str]) -> Iterator[str]:
    """Sentences of a task that do not suit scorings, as 'key: what is wrong'."""
    entry, contrasts = config.tasks[task], config.contrasts(task)
    for scoring in scorings:
        for kind, problem in sentence_problems(scoring, entry.goals, entry.baselines, contrasts):
            yield f"tasks.{task}.{kind}: {problem}"


def different(sentences: Iterable[str], goals: Collection[str]) -> list[str]:
    """Those of the sentences that say the same as none of the goals."""
    return [text for text in sentences if not any(say_the_same([text], [goal]) for goal in goals)]


def say_the_same(one: list[str], other: list[str]) -> bool:
    """Whether the sentences are the same to models, which distinguish neither case nor spaces."""

    def read(sentences: list[str]) -> set[str]:
        return {" ".join(sentence.casefold().split()) for sentence in sentences}

    return read(one) == read(other)
