"""What each command reads of a configuration, and nothing else.

A command takes one of these objects, made by a method of `Config`, and its rule in the
workflow declares the same object as a parameter. Thus a job runs again exactly when something that
it reads has changed.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vlmrm.config.base import (
    ConfigModel,
    Name,
    OracleName,
    Precision,
    WideFrames,
)
from vlmrm.config.environments import Environment
from vlmrm.config.measurements import Rendering
from vlmrm.config.paper_code import PaperCode
from vlmrm.config.scoring import Scoring
from vlmrm.config.states import RolloutStates
from vlmrm.config.training import Algorithm, TrainingRun

Own = Annotated[Environment | None, Field(exclude_if=lambda own: own is None)]
"""The entry of an environment among `environments`; None for the others."""


class PromptSettings(ConfigModel):
    """The sentences of a task; empty lists where no prompt is read."""

    task: Name
    goals: list[str] = []
    baselines: list[str] = []
    contrasts: list[str] = []

    @property
    def sentences(self) -> list[str]:
        """Each sentence once, in a fixed order."""
        return sorted({*self.goals, *self.baselines, *self.contrasts})


class ScoringSettings(PromptSettings):
    """How embedded states are scored for one task."""

    environment: Name
    scorings: list[Scoring]


class EmbeddingSettings(ConfigModel):
    """How a model embeds frames."""

    precision: Precision = "auto"
    wide_frames: WideFrames = "squash"
    openai_normalization: bool = False


class EpicSettings(ConfigModel):
    """How the distance between rewards and labels is measured."""

    task: Name
    states: Name
    environment: Name
    oracle: OracleName | None
    discount: float
    bootstrap: int
    seed: int


class RoundSettings(ConfigModel):
    """The models of adversarial rounds, and the EPIC measurements that compare them."""

    models: list[Name]
    scoring: Scoring
    measurements: list[Name]


class AgreementSettings(ConfigModel):
    """How the agreement of raters is measured."""

    task: Name
    environment: Name
    oracle: OracleName | None
    bootstrap: int
    seed: int


class LandscapeSettings(ConfigModel):
    """A landscape: its tasks, each with its oracle."""

    name: Name
    oracles: dict[Name, OracleName | None]


class HistogramSettings(ConfigModel):
    """Whose rewards are drawn by whose labels."""

    task: Name
    oracle: OracleName


class BestOfNSettings(HistogramSettings):
    """Whose rewards choose the best of n states, and whose verdict counts."""

    bootstrap: int
    seed: int


class OptimizationSettings(ConfigModel):
    """A run whose proxy is compared with the gold, and the oracle that says it."""

    run: TrainingRun
    oracle: OracleName


class VideoSettings(ConfigModel):
    """How trajectories look in a video."""

    environment: Name
    scene: str
    rendering: Rendering


class TrainingSettings(ConfigModel):
    """One training run: the agent, and what its reward is computed from."""

    run: TrainingRun
    environment: Name
    oracle: OracleName | None
    agent: Algorithm
    prompts: PromptSettings
    max_lookup_error: float | None
    """Largest error of interpolation; None where rewards are computed from frames or are no
    model's."""
    rendering: Rendering
    """Of the frames that the reward model sees."""
    embedding: EmbeddingSettings
    paper_code: PaperCode
    video: VideoSettings | None
    """Of the latest episode at every checkpoint; None for no videos."""
    own: Own = None


class PlaySettings(ConfigModel):
    """How a policy acts in an environment."""

    environment: Name
    episode_steps: int
    agent: Algorithm | None = None
    """Agent whose policy acts; None for random actions."""
    own: Own = None


class EvaluationSettings(PlaySettings):
    """How a policy is judged."""

    oracle: OracleName | None
    trajectories: int
    seed: int
    video: VideoSettings | None = None
    """None where no video is made."""
    video_trajectories: int = 0


class RolloutSettings(PlaySettings):
    """States that an agent met."""

    spec: RolloutStates


class LabelingSettings(ConfigModel):
    """What raters see and judge."""

    task: Name
    environment: Name
    goals: list[str]
    rendering: Rendering
