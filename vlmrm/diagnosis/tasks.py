"""Diagnosis of the tasks of a run, as tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config.settings import DiagnosisSettings
from vlmrm.data.states import States
from vlmrm.diagnosis.sentences import Sentences, measure_sentences, sentences_for
from vlmrm.diagnosis.verdict import describe
from vlmrm.errors import blaming


def measure_tasks(
    states: States,
    images: NDArray[np.float32],
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    settings: DiagnosisSettings,
) -> pd.DataFrame:
    """Measures the sentences of tasks with every scoring.

    Args:
        states: Of `vlmrm.states.diagnosis.sample_diagnosis`.
        images: Unit embeddings of their frames in one scene by one model ``[N, E]``.
        embed: Unit embeddings ``[K, E]`` of K sentences by that model.
        settings: The tasks with their sentences and oracles, and the scorings.

    Returns:
        One row per task, goal, and scoring: task, and the fields of
        `vlmrm.diagnosis.sentences.measure_sentences`. The average of several goals comes first.

    Raises:
        UserError: A sentence is too long, or a baseline's embedding equals that of the goal.
    """
    oracles = settings.oracles.values()
    known = list(dict.fromkeys(text for oracle in oracles for text in sentences_for(oracle)))
    prompts = dict(zip(known, embed(known), strict=True))
    rows = []
    for task in settings.prompts:
        oracle = settings.oracles[task.task]
        with blaming(f"tasks.{task.task}"):
            prompts |= zip(task.sentences, embed(task.sentences), strict=True)
            sentences = Sentences(task.goals, task.baselines, task.contrasts)
            measured = measure_sentences(
                states, images, prompts, sentences, settings.scorings, oracle
            )
        rows += [{"task": task.task, **row} for row in measured]
    return pd.DataFrame(rows)


def with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Adds to each row what becomes of an agent, and what to try next.

    Args:
        table: Tables of `measure_tasks`, one below the other, with the columns scene and model.

    Returns:
        The table by task, with the columns level (0 to 5, as in `vlmrm.diagnosis.verdict.Level`),
        verdict, and try_next after the goal. What is advised has not been measured for the task.
    """
    names = ["task", "scene", "model", "scoring", "goal"]
    parts = []
    for _, rows in table.groupby("task", sort=False):
        said = describe(rows.to_dict("records"))  # type: ignore[arg-type]
        words = pd.DataFrame(said, index=rows.index)
        parts.append(pd.concat([rows[names], words, rows.drop(columns=names)], axis=1))
    return pd.concat(parts, ignore_index=True)
