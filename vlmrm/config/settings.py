"""What each command reads of a configuration, and nothing else.

A command takes one of these objects, made by a method of `Config`, and its rule in the
workflow declares the same object as a parameter. Thus a job runs again exactly when something that
it reads has changed.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from vlmrm.config.base import (
    Aggregate,
    ConfigModel,
    Name,
    OracleName,
    Precision,
    WideFrames,
)
from vlmrm.config.environments import Environment
from vlmrm.config.measurements import Rendering, Task
from vlmrm.config.models import FunctionModel
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


class FunctionSettings(ScoringSettings):
    """How a function scores frames for one task."""

    model: FunctionModel


class Member(ConfigModel):
    """One of the rewards of an ensemble."""

    model: Name
    scene: str
    goal: str | None = None
    """One of the task's goal sentences; None for all of them, averaged."""


class MemberSettings(ConfigModel):
    """The members of an ensemble for one task, and the states by which they are standardized."""

    model: Name
    """The ensemble."""
    task: Name
    reference: Name
    members: list[Member]


class EnsembleSettings(MemberSettings):
    """How the members' rewards become one."""

    scene: str
    """That of the members, or the first of several."""
    aggregate: Aggregate
    penalty: float

    @property
    def models(self) -> list[str]:
        """The members' models, each once."""
        return list(dict.fromkeys(member.model for member in self.members))

    @property
    def scenes(self) -> list[str]:
        """The members' scenes, each once."""
        return list(dict.fromkeys(member.scene for member in self.members))


class EmbeddingSettings(ConfigModel):
    """How a model embeds frames."""

    precision: Precision = "auto"
    wide_frames: WideFrames = "squash"
    openai_normalization: bool = False


class EpicSettings(ConfigModel):
    """How the distance between rewards and labels is measured."""

    task: Name
    states: Name
    sampler: str
    environment: Name
    oracle: OracleName | None
    discount: float
    bootstrap: int
    seed: int


class DiagnosisSettings(ConfigModel):
    """The sentences that are diagnosed, and the scorings by which they become rewards."""

    prompts: list[PromptSettings]
    """Those of each task."""
    oracles: dict[Name, OracleName]
    """Task to the oracle whose pose it describes."""
    scorings: list[Scoring]


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

    oracles: dict[Name, OracleName | None]


class HistogramSettings(ConfigModel):
    """Whose rewards are drawn by whose labels."""

    task: Name
    oracle: OracleName


class BestOfNSettings(HistogramSettings):
    """Whose rewards choose the best of n states, and whose verdict counts."""

    controls: list[Name] = []
    """Models with random weights."""
    bootstrap: int
    seed: int


class GallerySettings(HistogramSettings):
    """Whose wrong states are shown, by which scoring, and how they are rendered."""

    scoring: Scoring
    rendering: Rendering


class OptimizationSettings(ConfigModel):
    """A run whose proxy is compared with the gold, and the oracle that says it."""

    run: TrainingRun
    oracle: OracleName


class SearchSettings(ConfigModel):
    """A search that climbs a reward over poses, and the oracle that judges it."""

    run: TrainingRun
    oracle: OracleName
    population: int
    survivors: int
    generations: int
    prompts: PromptSettings
    rendering: Rendering
    embedding: EmbeddingSettings


class SearchFigureSettings(ConfigModel):
    """The searches of a figure, in the order of their files."""

    runs: list[TrainingRun]
    oracles: dict[Name, OracleName]
    """Task to its oracle."""
    survivors: int
    controls: list[Name]
    """Models with random weights, and rewards without a model."""
    rendering: Rendering


class VideoSettings(ConfigModel):
    """How trajectories look in a video."""

    environment: Name
    scene: str
    rendering: Rendering


class RunRewardSettings(ConfigModel):
    """What the reward of a training run is computed from."""

    run: TrainingRun
    environment: Name
    oracle: OracleName | None
    prompts: PromptSettings
    max_lookup_error: float | None
    """Largest error of interpolation; None where rewards are computed from frames or are no
    model's."""
    rendering: Rendering
    """Of the frames that the reward model sees."""
    embedding: EmbeddingSettings | FunctionModel
    """How the reward model embeds frames, or the function that scores them."""
    ensemble: EnsembleSettings | None = None
    """How several models score each frame; None where one does, or none."""
    own: Own = None

    @property
    def scenes(self) -> list[str]:
        """Scenes in which the reward model sees each state."""
        return self.ensemble.scenes if self.ensemble else [self.run.scene]

    def reward(self) -> dict[str, Any]:
        """The settings that make the reward what it is, besides the run and the environment."""
        fields = RunRewardSettings.model_fields.keys() - {"run", "max_lookup_error", "own"}
        return self.model_dump(mode="json", include=fields)


class TrainingSettings(RunRewardSettings):
    """One training run: the agent, and what its reward is computed from."""

    agent: Algorithm
    paper_code: PaperCode
    video: VideoSettings | None
    """Of the latest episode at every checkpoint; None for no videos. The agent does not depend on
    it."""


class RecordingSettings(RunRewardSettings):
    """The video of an agent: what is written in it, and how its frames are rewarded."""

    goals: list[str]
    video: VideoSettings


class FilmstripSettings(ConfigModel):
    """The agents whose trajectories are drawn, in the order of their files."""

    runs: list[TrainingRun]
    environments: dict[Name, Name]
    """Task to its environment."""
    goals: dict[Name, list[str]]
    """Task to its sentences."""
    oracles: dict[Name, OracleName | None]
    """Task to its oracle."""
    rendering: Rendering


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
    video_trajectories: int = 0
    """Trajectories that are kept for videos."""


class RolloutSettings(PlaySettings):
    """States that an agent met."""

    spec: RolloutStates


class LabelingSettings(ConfigModel):
    """What raters see and judge."""

    task: Name
    environment: Name
    goals: list[str]
    rendering: Rendering


class ExplorationSettings(ConfigModel):
    """What the page that ranks frames knows of a configuration."""

    tasks: dict[Name, Task] = {}
    """Tasks of the environment, whose sentences one can start from."""
    rendering: Rendering
    embedding: EmbeddingSettings = EmbeddingSettings()
