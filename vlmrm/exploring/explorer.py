"""Answers to queries: rewards, confusion, diagnosis, and the task as YAML."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import Task, different, say_the_same
from vlmrm.data.states import States
from vlmrm.diagnosis.measure import SHOWN, N, confusion, preferred
from vlmrm.diagnosis.sentences import (
    KNOWN,
    Sentences,
    measure_images,
    measure_sentences,
    reward_images,
    sentences_for,
)
from vlmrm.diagnosis.verdict import judge_pictures, level, trained_on, verdict
from vlmrm.errors import UserError
from vlmrm.exploring.collection import Collection, ranked_rows
from vlmrm.exploring.query import Query
from vlmrm.exploring.task_yaml import task_yaml
from vlmrm.models.clip import ClipModel

REMEMBERED = 4096
"""Sentences whose embeddings a model keeps."""

Floats = NDArray[np.float64]


class EmbeddedCollection:
    """A model, and its embeddings of a collection."""

    def __init__(self, clip: ClipModel, collection: Collection):
        self.images = collection.embed(clip)
        self._clip = clip
        self._embed = functools.lru_cache(REMEMBERED)(lambda text: clip.embed_prompts([text])[0])

    def prompts(self, sentences: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Unit embeddings ``[E]`` of sentences.

        Raises:
            UserError: A sentence is longer than the model reads.
        """
        return {sentence: self._embed(sentence) for sentence in sentences}

    def rewards(self, sentences: Sentences, scoring: str) -> Floats:
        """Rewards ``[N]`` of all rows; several goals are averaged.

        Raises:
            UserError: A sentence is too long, or the model reads goal and baseline as the same.
        """
        _, directions = next(sentences.directions(self.prompts(sentences.all)))
        return reward_images(self.images, directions, [scoring])[scoring]


class Explorer:
    """Answers queries about a collection, for any thread.

    Args:
        collection: What is ranked.
        models: Models by name, with their embeddings.
        tasks: Tasks whose sentences are compared with others; their oracles are among the judges.
    """

    def __init__(
        self,
        collection: Collection,
        models: Mapping[str, EmbeddedCollection],
        tasks: Mapping[str, Task],
    ):
        self.collection = collection
        self.models = models
        self.tasks = tasks
        self.ranked = ranked_rows(collection.paths, len(collection))

    def rank(self, query: Query) -> dict[str, Any]:
        """Rewards of all rows, the area under the ROC curve for each judge, and the judge."""
        rewards = self.models[query.model].rewards(query.sentences, query.scoring)
        areas = self._areas(rewards)
        return {
            "rewards": rewards.tolist(),
            "areas": areas,
            "judge": self._judge(query, areas),
            "named": self._judge_of(query) is not None,
        }

    def confuse(self, query: Query) -> list[dict[str, Any]]:
        """The areas of the query's goals, of the other sentences, and of the tasks' goals.

        Every sentence has the scoring of the query, and its baselines; those that it cannot reward,
        such as a baseline itself, are left out. In a contrast, the other sentences and the tasks
        compete with each other, unless they have the same judge.
        """
        goals, baselines = list(query.sentences.goals), query.sentences.baselines
        compared: list[tuple[list[str], str | None]] = [([text], None) for text in query.others]
        compared += [(task.goals, task.oracle) for task in self.tasks.values()]
        alone = [[goal] for goal in different(goals, baselines) if len(goals) > 1]
        own = [
            self._line(query, some, query.sentences.contrasts, own=True) for some in (goals, *alone)
        ]
        others = []
        for some, oracle in compared:
            if say_the_same(some, goals):
                continue
            rivals = [
                text
                for texts, judge in compared
                if judge is None or judge != oracle
                for text in texts
            ]
            # The only sentence has no other one to compete with but the query's.
            rivals = different([*baselines, *rivals], some) or different(
                [*query.sentences.contrasts, *goals], some
            )
            with suppress(UserError):
                others.append(self._line(query, some, rivals, oracle=oracle))
        return own + others

    def _line(
        self,
        query: Query,
        goals: list[str],
        contrasts: Sequence[str],
        own: bool = False,
        oracle: str | None = None,
    ) -> dict[str, Any]:
        """A line of the confusion."""
        sentences = Sentences(goals, query.sentences.baselines, contrasts)
        areas = self._areas(self.models[query.model].rewards(sentences, query.scoring))
        return {"sentences": goals, "oracle": oracle, "own": own, "areas": areas}

    def diagnose(self, query: Query) -> dict[str, Any]:
        """The lines of `vlmrm diagnose`, and its numbers by goal."""
        states = self.collection.states
        measured = {"path", "progress", *(f"score {task}" for task in KNOWN)}
        if states and measured <= states.columns.keys():
            return self._diagnose_poses(query, states)
        return self._diagnose_rankings(query)

    def task_yaml(self, query: Query) -> str:
        """The task and an experiment, as lines of a configuration."""
        states = self.collection.states
        return task_yaml(
            query,
            self._judge_of(query) if states else None,
            states.environment if states else None,
            self.collection.scene,
        )

    def _diagnose_poses(self, query: Query, states: States) -> dict[str, Any]:
        oracle = self._judge_of(query)
        model = self.models[query.model]
        prompts = model.prompts([*query.sentences.all, *sentences_for(oracle)])
        measured = measure_sentences(
            states, model.images, prompts, query.sentences, [query.scoring], oracle
        )
        rows = [{"model": query.model, **row} for row in measured]
        found = max(level(row, named=oracle is not None) for row in trained_on(rows))
        return {"level": found.name, "lines": verdict(rows, oracle), **_numbers(rows)}

    def _diagnose_rankings(self, query: Query) -> dict[str, Any]:
        """For states or pictures of which only verdicts are known, or not even these."""
        judges = self.collection.verdicts
        model = self.models[query.model]
        judge = self._judge(
            query, self._areas(model.rewards(query.sentences, query.scoring)) if judges else {}
        )
        images = model.images[self.ranked]
        labels = None if judge is None else judges[judge][self.ranked]
        prompts = model.prompts(query.sentences.all)
        found = measure_images(images, prompts, query.sentences, [query.scoring], labels)
        rows, others = (
            [{"model": query.model, **row} for row in part] for part in (found.rows, found.others)
        )
        return {"level": None, "lines": judge_pictures(rows, others), **_numbers(rows, len(images))}

    def _areas(self, rewards: Floats) -> dict[str, float]:
        labels = {name: truth[self.ranked] for name, truth in self.collection.verdicts.items()}
        return confusion(rewards[self.ranked], labels)

    def _judge(self, query: Query, areas: Mapping[str, float]) -> str | None:
        """The judge of the query, or else the one whose verdicts its rewards follow most."""
        return self._judge_of(query) or (preferred(areas) if areas else None)

    def _judge_of(self, query: Query) -> str | None:
        """The judge that the query names, or whose task has its goals."""
        if query.oracle is not None:
            return query.oracle
        goals = list(query.sentences.goals)
        same = [task.oracle for task in self.tasks.values() if say_the_same(goals, task.goals)]
        return next((oracle for oracle in same if oracle in self.collection.verdicts), None)


def _numbers(rows: Sequence[Mapping[str, Any]], count: int = N) -> dict[str, Any]:
    """The measures of a diagnosis of so many images: headings, and values by goal."""
    headings = SHOWN | {"best_of_n": f"best of {min(N, count)}"}
    shown = {key: heading for key, heading in headings.items() if key in rows[0]}
    values = [{"goal": row["goal"], "values": [row[key] for key in shown]} for row in rows]
    return {"heads": list(shown.values()), "rows": values}
