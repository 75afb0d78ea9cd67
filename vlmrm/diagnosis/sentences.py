"""Measures of sentences on the humanoid's states, by model and scoring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.config.scoring import PLAIN
from vlmrm.data.states import States
from vlmrm.diagnosis.measure import (
    confusion,
    measure_poses,
    preferred,
    rank_correlation,
    relative_spread,
)
from vlmrm.errors import blaming
from vlmrm.rewards.directions import Directions
from vlmrm.rewards.goal_baseline import mean_direction

AVERAGE = "average"
"""Stands for the mean direction of several goals."""

KNOWN = {
    "kneeling": "a humanoid robot kneeling",
    "lotus": "a humanoid robot seated down, meditating in the lotus position",
    "standing": "a humanoid robot standing up",
    "arms-raised": "a humanoid robot standing up, with both arms raised",
    "splits": "a humanoid robot practicing gymnastics, doing the side splits",
    "hands-on-hips": "a humanoid robot standing up with hands on hips",
    "arms-crossed": "a humanoid robot standing up, with its arms crossed",
    "one-leg": "a humanoid robot standing up on one leg",
}
"""The paper's sentence for each pose."""

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

        Args:
            prompts: Sentence to unit embedding ``[E]``.
        """
        baseline = mean_direction([prompts[s] for s in self.baselines]) if self.baselines else None
        contrasts = [prompts[s] for s in self.contrasts]
        alone = {goal: [goal] for goal in self.goals}
        for name, goals in ({AVERAGE: self.goals} | alone if len(alone) > 1 else alone).items():
            goal = mean_direction([prompts[s] for s in goals])
            yield name, Directions(goal, baseline, contrasts)


def reward_images(
    images: NDArray[np.float32], directions: Directions, scorings: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Rewards ``[N]`` of unit embeddings ``[N, E]``, by scoring.

    Raises:
        UserError: A scoring needs a baseline that differs from the goal.
    """
    with blaming("--goal, --baseline"):
        return directions.rewards(images, list(dict.fromkeys(scorings)))


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
        states: Of `vlmrm.diagnosis.cached.cached_states`.
        images: Unit embeddings of their frames ``[N, E]``.
        prompts: Unit embeddings ``[E]`` of the sentences, and of those in `KNOWN`.
        sentences: Goals, baselines, and contrasts.
        scorings: Names of scorings.
        oracle: The task that the goals describe; by default, the one that the reward prefers.

    Returns:
        A row per scoring and goal: scoring, goal, preferred, oracle, progress (rank correlation of
        reward and progress along the path to the pose), the measures of `measure_poses`, spread
        (`relative_spread`), and the AUROC for each task.

    Raises:
        UserError: A goal's embedding equals that of the baseline.
    """
    poses = states.columns["path"] == ""
    labels = {task: truth[poses] for task, truth in states.labels.items()}
    known = images[poses] @ np.stack([prompts[s] for s in KNOWN.values()]).T
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
                "progress": rank_correlation(reward[path], states.columns["progress"][path]),
                **measure_poses(
                    reward[poses], labels[task], states.columns[f"score {task}"][poses]
                ),
                "spread": spread,
                **areas,
            }
            rows.append(row)
    return rows
