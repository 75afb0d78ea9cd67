"""Several rewards as the reward of any environment that can render.

members = [VLMReward.load(name, "a humanoid robot kneeling") for name in ("sim-S", "sim-M")]
reward = EnsembleReward.standardized_on(frames, members, aggregate="pessimistic")
env = VLMRewardWrapper(env, reward)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlmrm.config.base import Aggregate
from vlmrm.config.settings import RunRewardSettings
from vlmrm.models.clip import ClipModel
from vlmrm.rewards.aggregation import Statistics, aggregate_rewards
from vlmrm.rewards.frame_queue import FrameScorer
from vlmrm.rewards.members import read_statistics, statistics_of
from vlmrm.rewards.vlm import VLMReward


class EnsembleReward:
    """Rewards frames by several members; see `vlmrm.rewards.aggregation`.

    Members that share a model embed each frame once. All models are in memory.
    """

    def __init__(
        self,
        members: Sequence[FrameScorer],
        statistics: Sequence[tuple[float, float]],
        aggregate: Aggregate = "mean",
        penalty: float = 1.0,
        views: Sequence[int] | None = None,
    ):
        """Makes an ensemble of members whose statistics are known.

        Args:
            members: Rewards of frames, for example `VLMReward`.
            statistics: Mean and standard deviation of each member's rewards on reference states.
            aggregate: ``mean``, ``min``, or ``pessimistic``: the mean minus ``penalty`` times the
                standard deviation over the members.
            penalty: Weight of the standard deviation.
            views: If frames hold several views of a state one above the other, the one that each
                member sees, from 0 at the top.

        Raises:
            ValueError: Their numbers differ, or a standard deviation is not above 0.
        """
        self.members = list(members)
        self._statistics = list(statistics)
        self._aggregate: Aggregate = aggregate
        self._penalty = penalty
        self._views = [0] * len(self.members) if views is None else list(views)
        # Raise errors here rather than at the first frame.
        self._combine(np.zeros((len(self.members), 1)))

    @classmethod
    def standardized_on(
        cls,
        frames: NDArray[np.uint8],
        members: Sequence[FrameScorer],
        aggregate: Aggregate = "mean",
        penalty: float = 1.0,
    ) -> EnsembleReward:
        """Makes an ensemble whose members are standardized on frames of reference states.

        Args:
            frames: Uint8 RGB ``[N, H, W, 3]``, of states as different as those to be rewarded.
            members: As for the constructor.
            aggregate: As for the constructor.
            penalty: As for the constructor.

        Raises:
            ValueError: A member rewards all of these frames alike.
        """
        rewards = _member_rewards(members, [frames], [0] * len(members))
        return cls(members, [Statistics.of(r) for r in rewards], aggregate, penalty)

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Rewards, float32 ``[N]``, of uint8 RGB frames ``[N, H, W, 3]``."""
        views = np.split(frames, max(self._views) + 1, axis=1)
        return self._combine(_member_rewards(self.members, views, self._views)).astype(np.float32)

    def _combine(self, rewards: NDArray[np.float64]) -> NDArray[np.float64]:
        return aggregate_rewards(list(rewards), self._statistics, self._aggregate, self._penalty)


def _member_rewards(
    members: Sequence[FrameScorer], views: Sequence[NDArray[np.uint8]], seen: Sequence[int]
) -> NDArray[np.float64]:
    """Rewards ``[K, N]`` of K members, each of which sees one of several views ``[N, H, W, 3]``."""
    embeddings: dict[tuple[int, int], NDArray[np.float32]] = {}
    rewards: list[NDArray[np.floating[Any]]] = []
    for member, view in zip(members, seen, strict=True):
        if isinstance(member, VLMReward):
            key = id(member.model), view
            if key not in embeddings:
                embeddings[key] = member.model.embed_images(views[view])
            rewards.append(member.score(embeddings[key]))
        else:
            rewards.append(member(views[view]))
    return np.array(rewards, dtype=np.float64)


def load_ensemble(
    settings: RunRewardSettings,
    folders: Mapping[str, Path],
    statistics: Path,
    device: str,
    gpus: int = 1,
) -> EnsembleReward:
    """Loads the ensemble of a training run.

    Args:
        settings: The run and its ensemble.
        folders: Model folder of each of the members' models.
        statistics: Table of `vlmrm.rewards.members.measure_members` (CSV).
        device: Torch device of the models.
        gpus: Number of GPUs that share the frames.

    Raises:
        UserError: A file cannot be read, or the sentences give no reward.
    """
    ensemble, prompts, scoring = settings.ensemble, settings.prompts, settings.run.scoring
    assert ensemble is not None
    known = statistics_of(read_statistics(statistics, ensemble), ensemble, scoring)
    options = {**settings.embedding.model_dump(), "gpus": gpus}
    models = {name: ClipModel.load(folders[name], device, **options) for name in ensemble.models}
    members = [
        VLMReward.of_task(
            models[member.model], prompts, scoring, [member.goal] if member.goal else None
        )
        for member in ensemble.members
    ]
    views = [ensemble.scenes.index(member.scene) for member in ensemble.members]
    return EnsembleReward(members, known, ensemble.aggregate, ensemble.penalty, views)
