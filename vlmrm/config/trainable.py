"""Whether agents can be trained: what experiments, rollouts, and single runs have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vlmrm.config.base import REFERENCES
from vlmrm.config.ensembles import unscored_problems, use_problems
from vlmrm.config.functions import trained_function_problems
from vlmrm.config.named import missing_oracle
from vlmrm.config.scoring import PLAIN
from vlmrm.config.sentences import task_sentence_problems
from vlmrm.errors import UserError

if TYPE_CHECKING:
    from vlmrm.config.config import Config
    from vlmrm.config.training import TrainingRun


def training_problems(
    config: Config,
    task: str,
    scenes: list[str],
    sources: Sequence[str],
    scorings: list[str],
    *,
    key: str,
    scene_key: str,
    scoring_key: str,
) -> Iterator[str]:
    """Why agents cannot be trained on a task, as 'key: what is wrong'.

    Args:
        config: The configuration.
        task: Name of a task that exists.
        scenes: Scenes of the frames.
        sources: Reward sources that exist: models and references.
        scorings: Scorings of the models' rewards; empty if there are only references.
        key: Key or option of the trainings.
        scene_key: That of the scenes.
        scoring_key: That of the scorings.
    """
    entry = config.tasks[task]
    environment = entry.environment
    models = [name for name in sources if name in config.models]
    yield from use_problems(config, key, models, task, scenes, scene_key)
    yield from task_sentence_problems(config, task, scorings)
    if entry.oracle is None and {"oracle", "oracle-score"} & {*sources}:
        yield missing_oracle(task, key)
    if environment in config.environments and "oracle-score" in sources:
        what = "says success or not, and no distance to it; use oracle"
        yield f"{key}: oracle-score of task '{task}': '{environment}' {what}"
    yield from _agent_problems(config, key, task)
    if environment in config.training and config.training[environment].lookup is not None:
        why = f"the rewards of task '{task}' are looked up among those of `scorings`"
        for scoring in scorings:
            if scoring not in config.scorings:
                yield f"{scoring_key}: {scoring} is not scored, but {why}; add it there"
    yield from trained_function_problems(config, scoring_key, task, models, scorings)
    yield from unscored_problems(config, scoring_key, models, task, scorings)


def _agent_problems(config: Config, key: str, task: str) -> Iterator[str]:
    environment = config.tasks[task].environment
    if environment not in config.training:
        yield f"training.{environment}: missing, but {key} trains task '{task}'"
        return
    agent = config.training[environment].agent
    if agent.learning_starts >= agent.total_timesteps:
        what = f"{agent.learning_starts} is not below total_timesteps ({agent.total_timesteps})"
        yield f"training.{environment}.agent.learning_starts: {what}; lower it"
    if (round_steps := agent.round_steps) > agent.total_timesteps:
        what = f"with {agent.n_envs} environments, {round_steps} steps before the first update"
        key = f"training.{environment}.agent.train_freq"
        yield f"{key}: {what}, more than total_timesteps ({agent.total_timesteps}); lower it"


def check_run(config: Config, run: TrainingRun) -> None:
    """Refuses a single run for the reasons for which an experiment is refused.

    Raises:
        UserError: The run cannot be trained; names the key or option.
    """
    source, scorings = run.reward_source, [run.scoring]
    if source in REFERENCES:
        if run.scoring != PLAIN:
            raise UserError(
                f"--scoring: {run.scoring} has no effect with --reward-source {source}; "
                "leave it out"
            )
        scorings = []
    for problem in training_problems(
        config,
        run.task,
        [run.scene],
        [source],
        scorings,
        key=f"--reward-source {source}",
        scene_key="--scene",
        scoring_key="--scoring",
    ):
        raise UserError(problem)
