"""Measures of sentences on the humanoid's states, by model and scoring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray

from vlmrm.config import ORACLE_NAMES, different
from vlmrm.config.scoring import PLAIN
from vlmrm.data.states import States
from vlmrm.diagnosis.measure import (
    compare_sentences,
    confusion,
    correlation_or_zero,
    measure_pictures,
    measure_poses,
    preferred,
    relative_spread,
)
from vlmrm.epic.distances import auroc
from vlmrm.errors import UserError, blaming
from vlmrm.rewards.directions import Directions

AVERAGE = "average"
"""Stands for the mean direction of several goals."""


def _shipped(package: str, *path: str) -> Any:
    """The content of a YAML file of the package."""
    return yaml.safe_load(resources.files(package).joinpath(*path).read_text())


_TASKS = _shipped("vlmrm.config", "shared", "tasks.yaml")["tasks"]
_PARAPHRASES = _shipped("vlmrm.diagnosis", "paraphrases.yaml")

KNOWN: dict[str, str] = {task: _TASKS[task]["goal"] for task in ORACLE_NAMES["humanoid"]}
"""The paper's sentence for each pose."""
PARAPHRASES: dict[str, list[str]] = {task: _PARAPHRASES[task] for task in KNOWN}
"""Other sentences for each pose, which no packaged model has seen."""


def sentences_for(oracle: str | None) -> list[str]:
    """The sentences that `measure_sentences` reads beside those of a task with this oracle."""
    return [*KNOWN.values(), *(PARAPHRASES[oracle] if oracle else [])]


Embeddings = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Sentences:
    """The sentences of a task."""

    goals: Sequence[str]
    baselines: Sequence[str] = ()
    contrasts: Sequence[str] = ()

    @property
    def all(self) -> list[str]:
        return list(dict.fromkeys([*self.goals, *self.baselines, *self.contrasts]))

    def directions(self, prompts: Embeddings) -> Iterator[tuple[str, Directions]]:
        """The goals' average, and each goal if there are several, with their directions.

        A goal that is also a baseline is none alone.

        Args:
            prompts: Sentence to unit embedding ``[E]``.
        """
        others = [[prompts[s] for s in group] for group in (self.baselines, self.contrasts)]
        measured = {goal: [goal] for goal in self.goals}
        if len(self.goals) > 1:
            alone = different(self.goals, self.baselines)
            measured = {AVERAGE: [*self.goals], **{goal: [goal] for goal in alone}}
        for name, goals in measured.items():
            yield name, Directions.of([prompts[s] for s in goals], *others)


def reward_images(
    images: NDArray[np.float32], directions: Directions, scorings: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Rewards ``[N]`` of unit embeddings ``[N, E]``, by scoring.

    Raises:
        UserError: A scoring needs a baseline that differs from the goal.
    """
    with blaming("--goal, --baseline"):
        return directions.rewards(images, list(dict.fromkeys(scorings)))


class ImageMeasures(NamedTuple):
    """Measures of sentences on images without known poses."""

    rewards: list[NDArray[np.float64]]
    """Rewards ``[N]`` of each row."""
    rows: list[dict[str, Any]]
    """One per goal and scoring: goal, scoring, std (of the rewards), and, if the images are
    labeled, the measures of `vlmrm.diagnosis.measure.measure_pictures`."""
    others: list[dict[str, Any]]
    """One per goal and contrast: goal, sentence (the contrast), and
    `vlmrm.diagnosis.measure.compare_sentences`."""


def measure_images(
    images: NDArray[np.float32],
    prompts: Embeddings,
    sentences: Sentences,
    scorings: Sequence[str],
    labels: ArrayLike | None = None,
) -> ImageMeasures:
    """Measures every goal with every scoring, and compares it with the contrasts.

    Args:
        images: Unit embeddings ``[N, E]``.
        prompts: Unit embeddings ``[E]`` of the sentences.
        sentences: Goals, baselines, and contrasts.
        scorings: Names of scorings.
        labels: Which images show the task, bool ``[N]``, if it is known.

    Raises:
        UserError: A scoring needs a baseline that differs from the goal.
    """
    found = ImageMeasures([], [], [])
    for goal, directions in sentences.directions(prompts):
        for scoring, rewards in reward_images(images, directions, scorings).items():
            measures = {} if labels is None else measure_pictures(rewards, labels)
            row = {"goal": goal, "scoring": scoring, "std": float(rewards.std()), **measures}
            found.rows.append(row)
            found.rewards.append(rewards)
        cosines = images @ np.stack([directions.goal, *directions.contrasts]).T
        compared = zip(sentences.contrasts, compare_sentences(cosines), strict=True)
        found.others.extend({"goal": goal, "sentence": text, **row} for text, row in compared)
    return found


def measure_sentences(
    states: States,
    images: NDArray[np.float32],
    prompts: Embeddings,
    sentences: Sentences,
    scorings: Sequence[str],
    oracle: str | None = None,
) -> list[dict[str, Any]]:
    """Measures every goal with every scoring.

    Args:
        states: Of `vlmrm.states.diagnosis.sample_diagnosis`.
        images: Unit embeddings of their frames ``[N, E]``.
        prompts: Unit embeddings ``[E]`` of the sentences, and of `sentences_for` the oracle.
        sentences: Goals, baselines, and contrasts.
        scorings: Names of scorings.
        oracle: The task that the goals describe; by default, the one that the reward prefers.

    Returns:
        A row per scoring and goal: scoring, goal, preferred, oracle, progress (rank correlation of
        reward and progress along the path to the pose), the measures of `measure_poses`, spread
        (`relative_spread`), and the AUROC for each task. With an oracle also wording,
        wording_low, and wording_high: median, lowest, and highest AUROC if one of its
        `PARAPHRASES`, other than the sentences, is the goal.

    Raises:
        UserError: A goal's embedding equals that of the baseline, or no pose shows a task.
    """
    poses = states.columns["path"] == ""
    labels = {task: truth[poses] for task, truth in states.labels.items()}
    for task, truth in labels.items():
        if truth.all() or not truth.any():
            raise UserError(f"states: none or all of the poses show {task}; use more poses")
    known = images[poses] @ np.stack([prompts[s] for s in KNOWN.values()]).T
    wordings = {}
    if oracle and (others := different(PARAPHRASES[oracle], sentences.all)):
        alone = replace(sentences, goals=others)
        wordings = _wordings(images[poses], prompts, alone, scorings, labels[oracle])
    rows = []
    for goal, directions in sentences.directions(prompts):
        rewards = reward_images(images, directions, [PLAIN, *scorings])
        spread = relative_spread(rewards[PLAIN][poses], known)
        for scoring in scorings:
            reward = rewards[scoring]
            areas = confusion(reward[poses], labels)
            task = oracle or preferred(areas)
            path = states.columns["path"] == task
            row = {
                "scoring": scoring,
                "goal": goal,
                "preferred": preferred(areas),
                "oracle": task,
                "progress": correlation_or_zero(reward[path], states.columns["progress"][path]),
                **measure_poses(
                    reward[poses], labels[task], states.columns[f"score {task}"][poses]
                ),
                "spread": spread,
                **wordings.get(scoring, {}),
                **areas,
            }
            rows.append(row)
    return rows


def _wordings(
    images: NDArray[np.float32],
    prompts: Embeddings,
    sentences: Sentences,
    scorings: Sequence[str],
    labels: NDArray[np.bool_],
) -> dict[str, dict[str, float]]:
    """Median, lowest, and highest AUROC of the goals alone, by scoring."""
    areas: dict[str, list[float]] = {scoring: [] for scoring in scorings}
    for goal, directions in sentences.directions(prompts):
        if goal != AVERAGE:
            for scoring, rewards in reward_images(images, directions, scorings).items():
                areas[scoring].append(auroc(rewards, labels))
    return {
        scoring: {
            "wording": float(np.median(values)),
            "wording_low": min(values),
            "wording_high": max(values),
        }
        for scoring, values in areas.items()
    }
