"""What training does to a reward: states of an experiment's agents, checkpoint by checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vlmrm.config.base import (
    MAX_NAME,
    REFERENCES,
    ConfigModel,
    Name,
    PositiveInt,
    Seed,
    UniqueList,
)
from vlmrm.config.named import missing_oracle
from vlmrm.config.states import RolloutStates
from vlmrm.config.training import TrainingRun
from vlmrm.errors import unknown

if TYPE_CHECKING:
    from vlmrm.config.config import Config


MAX_AGENTS = 1000
"""Agents of an experiment that are studied."""


class Optimization(ConfigModel):
    """The over-optimization study: proxy and gold of every checkpoint.

    The proxy is the reward that an agent was trained on, the gold the oracle's verdict. Both are
    measured on states that the policy of each checkpoint visits without exploration. These states
    become entries of `state_sets`.
    """

    experiments: UniqueList[Name] = []
    """Names of `experiments`. Their agents that were trained on models are studied; those that were
    trained on references are what they are compared with."""
    size: PositiveInt = 4000
    """States of each agent, in equal shares from all checkpoints."""
    seed: Seed = 2
    """Random seed of the initial states."""


def studied(config: Config, experiment: str) -> dict[str, TrainingRun]:
    """The runs of an experiment that are studied, by the names of their state sets."""
    return {
        f"{experiment}-{run.task}-{run.scene}-{run.reward_source}-{run.scoring}-{run.seed}": run
        for run in config.runs(experiment)
        if run.reward_source not in REFERENCES
    }


def studied_states(config: Config) -> dict[str, RolloutStates]:
    """The state sets of all runs that are studied."""
    return {
        name: _visited(config, run)
        for experiment in config.optimization.experiments
        for name, run in studied(config, experiment).items()
    }


def _visited(config: Config, run: TrainingRun) -> RolloutStates:
    return RolloutStates(
        sampler="rollouts",
        environment=config.tasks[run.task].environment,
        run=run,
        size=config.optimization.size,
        explore=False,
        seed=config.optimization.seed,
    )


def optimization_problems(config: Config) -> Iterator[str]:
    """What is wrong with the study, as 'key: what is wrong'."""
    key = "optimization.experiments"
    taken: set[str] = set()
    for name in config.optimization.experiments:
        yield from unknown(key, name, config.experiments)
        experiment = config.experiments[name]
        if not experiment.models:
            yield f"{key}: '{name}' trains on no models; remove it"
        for task in experiment.tasks:
            if config.tasks[task].oracle is None:
                yield missing_oracle(task, key)
        for scoring in experiment.scorings:
            if scoring not in config.scorings:
                what = f"{scoring} is not among `scorings`, by which states are scored"
                yield f"experiments.{name}.scorings: {what}; add it there"
        names = studied(config, name)
        if len(names) > MAX_AGENTS:
            what = f"{len(names):,} agents of '{name}', more than {MAX_AGENTS:,}"
            yield f"{key}: {what}; study a smaller experiment"
        for states, run in names.items():
            stated = config.state_sets.get(states)
            if stated is not None and stated != _visited(config, run):
                yield f"state_sets.{states}: the name is taken by a set of {key}; choose another"
            if states in taken:
                what = f"'{states}' is a state set of two agents, one of them of '{name}'"
                yield f"{key}: {what}; rename the experiment, or a task or model"
            taken.add(states)
        if (longest := max(names, key=len, default="")) and len(longest) > MAX_NAME:
            yield f"{key}: '{longest}', a state set of '{name}', is too long; shorten its names"
