"""The whole configuration, and the settings that each command reads of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from pydantic import model_validator

from vlmrm.config import settings
from vlmrm.config.base import (
    RANDOM_POLICY,
    REFERENCES,
    ConfigModel,
    Name,
    NonEmptyList,
    OracleName,
    Precision,
    WideFrames,
    scenes_of,
)
from vlmrm.config.corpus_references import sets_in
from vlmrm.config.diagnosis import Diagnosis, diagnosed_tasks
from vlmrm.config.ensembles import ensemble_settings
from vlmrm.config.environments import Environment
from vlmrm.config.measurements import Epic, Landscape, Rendering, Task
from vlmrm.config.models import Corpus, EnsembleModel, FunctionModel, Model, RandomModel
from vlmrm.config.optimization import Optimization, studied_states
from vlmrm.config.paper_code import PaperCode
from vlmrm.config.prediction import Prediction
from vlmrm.config.references import problems
from vlmrm.config.rounds import Rounds
from vlmrm.config.scoring import PLAIN, Scoring, alpha_of, temperature_of
from vlmrm.config.searches import Search
from vlmrm.config.sentences import different
from vlmrm.config.states import RolloutStates, StateSet, UnionStates
from vlmrm.config.training import Evaluation, Experiment, Training, TrainingRun
from vlmrm.errors import UserError


class Config(ConfigModel):
    """One experiment from models to figures."""

    run: Name
    """Name of the run. Its results are in `results/RUN`."""
    scorings: NonEmptyList[Scoring]
    """How embeddings of state sets become rewards. `alpha-A` is goal-baseline regularization of
    strength A, from 0 to 1; `alpha-0` is the plain cosine similarity. `contrast-T` is the softmax
    over the goal and other sentences at temperature T, from 0.0001 to 100."""
    models: dict[Name, Model]
    """The reward models, from six sources."""
    corpora: dict[Name, Corpus] = {}
    rounds: dict[Name, Rounds] = {}
    environments: dict[Name, Environment] = {}
    tasks: dict[Name, Task]
    rendering: Rendering = Rendering()
    precision: Precision = "auto"
    """Number format of the reward models' image towers. `auto` is the one in which the
    hardware multiplies matrices fastest: bfloat16 on GPUs since Ampere and on CPUs with AMX,
    float16 on Volta and Turing, otherwise float32. Use one precision for all rewards of a run."""
    wide_frames: WideFrames = "squash"
    """How frames that are not square, those of classic control, reach models that would cut off
    their sides. `squash` distorts them, as the paper's code does. `pad` adds black bars. `crop`
    cuts, although the car or the flag may be in the part that is lost."""
    state_sets: dict[Name, StateSet] = {}
    """Sets of simulator states, from seven samplers."""
    landscapes: dict[Name, Landscape] = {}
    epic: dict[Name, Epic] = {}
    diagnoses: dict[Name, Diagnosis] = {}
    training: dict[Name, Training] = {}
    experiments: dict[Name, Experiment] = {}
    evaluation: Evaluation = Evaluation()
    optimization: Optimization = Optimization()
    predictions: dict[Name, Prediction] = {}
    searches: dict[Name, Search] = {}
    paper_code: PaperCode = PaperCode()

    def runs(self, experiment: str) -> Iterator[TrainingRun]:
        """The training runs of an experiment, references last."""
        e = self.experiments[experiment]
        for task, seed in product(e.tasks, e.seeds):
            default, *_ = scenes_of(self.tasks[task].environment)
            for scene in e.scenes or [default]:
                for model, scoring in product(e.models, e.scorings):
                    yield TrainingRun(
                        task=task, scene=scene, reward_source=model, scoring=scoring, seed=seed
                    )
                for reference in e.references:
                    yield TrainingRun(task=task, scene=scene, reward_source=reference, seed=seed)

    def set_size(self, name: str) -> int:
        """Number of states of a set."""
        parts = sets_in(self, [name]).values()
        return sum(part.size for part in parts if not isinstance(part, UnionStates))

    def corpus_size(self, name: str) -> int:
        """Number of frames of a corpus."""
        corpus = self.corpora[name]
        sampled = sum(count for scenes in corpus.frames.values() for count in scenes.values())
        return sampled + sum(map(self.set_size, corpus.states))

    def rollout_settings(self, name: str) -> settings.RolloutSettings:
        """What sampling a state set of rollouts reads."""
        spec = self.state_sets[name]
        assert isinstance(spec, RolloutStates)
        played = self._play(spec.run.task)
        if spec.run.reward_source == RANDOM_POLICY:
            played["agent"] = None
        own = self._unjudged(spec.environment)
        return settings.RolloutSettings(**played, own=own, spec=spec)

    def rendering_settings(self, environment: str) -> Rendering:
        """What rendering the states of an environment reads: nothing for classic control."""
        return self.rendering if environment == "humanoid" else Rendering()

    def contrasts(self, task: str) -> list[str]:
        """The sentences that a task's goal is contrasted with.

        By default, its baselines and the goals of the environment's other tasks: not of those with
        the same oracle, which say the same in other words.
        """
        entry = self.tasks[task]
        if entry.contrast:
            return entry.contrasts
        others = [t for t in self.tasks.values() if t.environment == entry.environment]
        rivals = [t for t in others if t.oracle is None or t.oracle != entry.oracle]
        goals = [goal for rival in rivals for goal in rival.goals]
        return different(dict.fromkeys([*entry.baselines, *goals]), entry.goals)

    def prompt_settings(
        self, task: str, scorings: Iterable[str] | None = None
    ) -> settings.PromptSettings:
        """The sentences of a task that these scorings read; by default, those of state sets."""
        entry = self.tasks[task]
        read = self.scorings if scorings is None else list(scorings)
        return settings.PromptSettings(
            task=task,
            goals=entry.goals,
            baselines=entry.baselines if any(map(alpha_of, read)) else [],
            contrasts=self.contrasts(task) if any(map(temperature_of, read)) else [],
        )

    def scoring_settings(self, task: str) -> settings.ScoringSettings:
        """What scoring embedded states for a task reads."""
        return settings.ScoringSettings(
            **self.prompt_settings(task).model_dump(),
            environment=self.tasks[task].environment,
            scorings=self.scorings,
        )

    def function_settings(self, model: str, task: str) -> settings.FunctionSettings:
        """What scoring frames for a task by a function reads."""
        function = self.models[model]
        assert isinstance(function, FunctionModel)
        scorings = self.scorings_of(model)
        return settings.FunctionSettings(
            **self.prompt_settings(task, scorings).model_dump(),
            environment=self.tasks[task].environment,
            scorings=scorings,
            model=function,
        )

    def embedding_settings(self, environment: str | None = None) -> settings.EmbeddingSettings:
        """What embedding frames of an environment reads; None for any."""
        square = environment == "humanoid"  # its frames are never wide
        return settings.EmbeddingSettings(
            precision=self.precision,
            wide_frames="squash" if square else self.wide_frames,
            openai_normalization=self.paper_code.openai_normalization,
        )

    def epic_settings(self, name: str) -> settings.EpicSettings:
        """What measuring an EPIC distance reads."""
        epic = self.epic[name]
        return settings.EpicSettings(
            **self._labels(epic.task),
            states=epic.states,
            sampler=self.state_sets[epic.states].sampler,
            discount=epic.discount,
            bootstrap=epic.bootstrap,
            seed=epic.seed,
        )

    def diagnosis_settings(self, name: str) -> settings.DiagnosisSettings:
        """What diagnosing the sentences of tasks reads."""
        tasks = diagnosed_tasks(self, self.diagnoses[name])
        return settings.DiagnosisSettings(
            prompts=[self.prompt_settings(task) for task in tasks],
            oracles=self._oracles(tasks),
            scorings=self.scorings,
        )

    def round_settings(self, name: str) -> settings.RoundSettings:
        """What drawing rounds reads."""
        rounds = self.rounds[name]
        models = rounds.models(name)
        return settings.RoundSettings(
            models=models,
            scoring=rounds.scoring,
            measurements=[f"{model}-{task}" for model in models for task in rounds.tasks],
        )

    def agreement_settings(
        self, task: str, bootstrap: int, seed: int
    ) -> settings.AgreementSettings:
        """What measuring the agreement of raters about a task reads."""
        return settings.AgreementSettings(**self._labels(task), bootstrap=bootstrap, seed=seed)

    def landscape_settings(self, name: str) -> settings.LandscapeSettings:
        """What drawing a landscape reads."""
        oracles = {task: self.tasks[task].oracle for task in self.landscapes[name].tasks}
        return settings.LandscapeSettings(oracles=oracles)

    def optimization_settings(self, run: TrainingRun) -> settings.OptimizationSettings:
        """What measuring proxy and gold of a run's checkpoints reads."""
        oracle = self.tasks[run.task].oracle
        assert oracle is not None
        return settings.OptimizationSettings(run=run, oracle=oracle)

    def search_settings(self, name: str, run: TrainingRun) -> settings.SearchSettings:
        """What one search reads: a control, no sentence and no rendering."""
        search, oracle = self.searches[name], self.tasks[run.task].oracle
        assert oracle is not None
        frames = run.reward_source in self.models
        prompts = self.prompt_settings(run.task, [run.scoring])
        return settings.SearchSettings(
            run=run,
            oracle=oracle,
            **search.model_dump(include={"population", "survivors", "generations"}),
            prompts=prompts if frames else settings.PromptSettings(task=run.task),
            rendering=self.rendering if frames else Rendering(),
            embedding=(
                self.embedding_settings("humanoid") if frames else settings.EmbeddingSettings()
            ),
        )

    def search_figure_settings(self, name: str) -> settings.SearchFigureSettings:
        """What drawing the searches of an entry reads."""
        search = self.searches[name]
        return settings.SearchFigureSettings(
            runs=list(search.runs()),
            oracles=self._oracles(search.tasks),
            survivors=search.survivors,
            controls=[*self._random(search.models), *search.controls],
            rendering=self.rendering,
        )

    def best_of_n_settings(self, name: str) -> settings.BestOfNSettings:
        """What measuring the best of n states of an EPIC measurement reads."""
        epic = self.epic[name]
        histogram = self.histogram_settings(name)
        return settings.BestOfNSettings(
            **histogram.model_dump(),
            controls=self._random(epic.models),
            bootstrap=epic.bootstrap,
            seed=epic.seed,
        )

    def gallery_settings(self, name: str) -> settings.GallerySettings:
        """What drawing the wrongly ranked states of an EPIC measurement reads."""
        return settings.GallerySettings(
            **self.histogram_settings(name).model_dump(),
            scoring=self.common_scoring(self.epic[name].models),
            rendering=self.rendering_settings(self.tasks[self.epic[name].task].environment),
        )

    def scorings_of(self, model: str) -> list[str]:
        """The scorings by which a model scores states."""
        entry = self.models[model]
        plain = isinstance(entry, FunctionModel) and not entry.embeddings
        return [PLAIN] if plain else self.scorings

    def common_scoring(self, models: Iterable[str]) -> str:
        """The first of `scorings` by which all of these models score states."""
        known = [self.scorings_of(name) for name in models]
        return next(s for s in self.scorings if all(s in scorings for scorings in known))

    def histogram_settings(self, name: str) -> settings.HistogramSettings:
        """What drawing the rewards of an EPIC measurement by label reads."""
        task = self.epic[name].task
        oracle = self.tasks[task].oracle
        if oracle is None:
            raise UserError(f"tasks.{task}.oracle: missing; this is drawn by its labels alone")
        return settings.HistogramSettings(task=task, oracle=oracle)

    def sees_frames(self, run: TrainingRun) -> bool:
        """Whether a model scores each frame of a training run.

        References are computed from states, and looked-up rewards are computed beforehand.
        """
        training = self.training[self.tasks[run.task].environment]
        return run.reward_source not in REFERENCES and training.lookup is None

    def training_settings(self, run: TrainingRun) -> settings.TrainingSettings:
        """What one training run reads: without frames, no sentence and no rendering."""
        environment = self.tasks[run.task].environment
        recorded = self.evaluation.training_videos and self.can_render(run.task)
        return settings.TrainingSettings(
            **self._reward(run),
            agent=self.training[environment].agent,
            paper_code=self._paper_code(environment, self.sees_frames(run)),
            video=self._video(run) if recorded else None,
        )

    def recording_settings(self, run: TrainingRun) -> settings.RecordingSettings:
        """What recording the agent of a run on video reads."""
        goals = self.tasks[run.task].goals
        return settings.RecordingSettings(**self._reward(run), goals=goals, video=self._video(run))

    def filmstrip_settings(self, experiment: str) -> settings.FilmstripSettings:
        """What drawing moments of the agents of an experiment reads."""
        runs = [run for run in self.runs(experiment) if self.can_render(run.task)]
        tasks = {run.task: self.tasks[run.task] for run in runs}
        environments = {name: task.environment for name, task in tasks.items()}
        humanoid = "humanoid" in environments.values()
        return settings.FilmstripSettings(
            runs=runs,
            environments=environments,
            goals={name: task.goals for name, task in tasks.items()},
            oracles={name: task.oracle for name, task in tasks.items()},
            rendering=self.rendering if humanoid else Rendering(),
        )

    def can_render(self, task: str) -> bool:
        """Whether states of a task can be rendered again, unlike those of own environments."""
        return self.tasks[task].environment not in self.environments

    def evaluation_settings(self, run: TrainingRun) -> settings.EvaluationSettings:
        """What judging the policy of a run reads."""
        return settings.EvaluationSettings(
            **self._play(run.task),
            **self._judgment(run.task),
            video_trajectories=self.evaluation.video_trajectories,
        )

    def random_evaluation_settings(self, task: str) -> settings.EvaluationSettings:
        """What judging uniformly random actions reads."""
        played = {**self._play(task), "agent": None}
        return settings.EvaluationSettings(**played, **self._judgment(task))

    def labeling_settings(self, task: str) -> settings.LabelingSettings:
        """What the page for labeling by hand reads."""
        entry = self.tasks[task]
        return settings.LabelingSettings(
            task=task,
            environment=entry.environment,
            goals=entry.goals,
            rendering=self.rendering,
        )

    def exploration_settings(self, environment: str) -> settings.ExplorationSettings:
        """What the page that ranks frames of an environment by sentences reads."""
        return settings.ExplorationSettings(
            tasks={name: t for name, t in self.tasks.items() if t.environment == environment},
            rendering=self.rendering_settings(environment),
            embedding=self.embedding_settings(environment),
        )

    def _random(self, models: Iterable[str]) -> list[str]:
        """Those of the models that have random weights: controls."""
        return [name for name in models if isinstance(self.models[name], RandomModel)]

    def _oracles(self, tasks: Iterable[str]) -> dict[str, OracleName]:
        """The oracles of those tasks that have one."""
        oracles = {task: self.tasks[task].oracle for task in tasks}
        return {task: oracle for task, oracle in oracles.items() if oracle is not None}

    def _labels(self, task: str) -> dict[str, Any]:
        entry = self.tasks[task]
        return {"task": task, "environment": entry.environment, "oracle": entry.oracle}

    def _play(self, task: str) -> dict[str, Any]:
        environment = self.tasks[task].environment
        agent = self.training[environment].agent
        return {
            "environment": environment,
            "episode_steps": agent.episode_steps,
            "agent": agent,
        }

    def _unjudged(self, environment: str) -> Environment | None:
        """The user's own environment without its quorum, which only the judge of episodes reads."""
        own = self.environments.get(environment)
        return own and own.model_copy(update={"quorum": 0})

    def _judgment(self, task: str) -> dict[str, Any]:
        return {
            "own": self.environments.get(self.tasks[task].environment),
            "oracle": self.tasks[task].oracle,
            "trajectories": self.evaluation.trajectories,
            "seed": self.evaluation.seed,
        }

    def _reward(self, run: TrainingRun) -> dict[str, Any]:
        """The fields of `RunRewardSettings`: without frames, no sentence and no rendering."""
        task = self.tasks[run.task]
        lookup = self.training[task.environment].lookup
        uses_model = run.reward_source not in REFERENCES
        sees_frames = self.sees_frames(run)
        prompts = settings.PromptSettings(task=run.task)
        embedding: settings.EmbeddingSettings | FunctionModel = settings.EmbeddingSettings()
        ensemble = None
        if sees_frames:
            prompts = self.prompt_settings(run.task, [run.scoring])
            embedding = self.embedding_settings(task.environment)
            model = self.models.get(run.reward_source)
            if isinstance(model, FunctionModel):
                embedding = model
            elif isinstance(model, EnsembleModel):
                ensemble = ensemble_settings(self, run.reward_source, run.task, run.scene)
        return {
            "run": run,
            "environment": task.environment,
            "oracle": task.oracle,
            "prompts": prompts,
            "max_lookup_error": lookup.max_error if uses_model and lookup else None,
            "rendering": self.rendering_settings(task.environment) if sees_frames else Rendering(),
            "embedding": embedding,
            "ensemble": ensemble,
            "own": self._unjudged(task.environment),
        }

    def _paper_code(self, environment: str, sees_frames: bool) -> PaperCode:
        """The switches that a training reads; the normalization is the embedding's."""
        unread = {"openai_normalization": False}
        if not sees_frames:
            unread["frames_after_reset"] = False
        if environment != "mountain-car":
            unread["goal_never_cleared"] = False
        return self.paper_code.model_copy(update=unread)

    def _video(self, run: TrainingRun) -> settings.VideoSettings:
        environment = self.tasks[run.task].environment
        size = {"humanoid_size": self.evaluation.video_size}
        rendering = self.rendering_settings(environment)
        if environment == "humanoid":
            rendering = rendering.model_copy(update=size)
        return settings.VideoSettings(environment=environment, scene=run.scene, rendering=rendering)

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        for problem in problems(self):
            raise ValueError(problem)
        return self

    def with_studied_states(self) -> Config:
        """The configuration with the state sets of the over-optimization study."""
        sets = {**self.state_sets, **studied_states(self)}
        return self.model_copy(update={"state_sets": sets})
