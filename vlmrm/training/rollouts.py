"""State sets of the states that an agent visits during training, as in the paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlmrm.config import RANDOM_POLICY
from vlmrm.config.settings import RolloutSettings
from vlmrm.config.states import KEEP_EVERY
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.tasks.oracles import labeled
from vlmrm.training.evaluation import play


@dataclass(frozen=True)
class Selection:
    """Which states of rollouts are kept.

    Attributes:
        policies: Files of the policies; None stands for uniformly random actions.
        seeds: Seed of each policy.
        trajectories: Environments in which each acts.
        rows: The kept states among all, which are ordered by policy, environment, and step ``[N]``.
    """

    policies: list[Path | None]
    seeds: list[int]
    trajectories: int
    rows: NDArray[np.intp]


def sample_rollouts(
    settings: RolloutSettings, folder: Path | None, workers: int | None = None
) -> States:
    """Runs the policy of every checkpoint as in training, and keeps some of the states.

    The states are labeled by the oracles of the environment. Columns: ``origin`` (the checkpoint),
    ``trajectory``, and ``step`` (its number in the trajectory, from 0).

    Args:
        settings: Environment, agent, and number of states, in equal shares from all checkpoints.
        folder: Results folder of the training, with ``checkpoints/STEPS.zip``; None for uniformly
            random actions.
        workers: As in `vlmrm.training.evaluation.evaluate`.

    Raises:
        UserError: The folder contains no checkpoints, or those of another agent.
    """
    selection = select(settings, folder)
    explore = settings.spec.explore
    plays = [
        play(policy, settings, selection.trajectories, seed, workers, explore)
        for policy, seed in zip(selection.policies, selection.seeds, strict=True)
    ]
    states = np.concatenate([played.states[:, ::KEEP_EVERY] for played in plays])
    dones = np.concatenate([played.dones for played in plays])
    return collect(settings, selection, states.reshape(-1, states.shape[-1])[selection.rows], dones)


def select(settings: RolloutSettings, folder: Path | None) -> Selection:
    """Chooses the states of a set before they are visited; arguments as for `sample_rollouts`."""
    policies: list[Path | None] = [None]
    if folder is not None:
        policies = [*sorted((folder / "checkpoints").glob("[0-9]*.zip"))]
    if not policies:
        raise UserError(
            f"{folder}: has no checkpoints; delete its policy.zip, and train the agent again"
        )
    spec = settings.spec
    rng = np.random.default_rng(spec.seed)
    kept_of_each = math.ceil(settings.episode_steps / KEEP_EVERY)
    trajectories = math.ceil(spec.size / (kept_of_each * len(policies)))
    seeds = [int(rng.integers(2**31)) for _ in policies]
    every = len(policies) * trajectories * kept_of_each
    rows = np.sort(rng.choice(every, spec.size, replace=False))
    return Selection(policies, seeds, trajectories, rows)


def collect(
    settings: RolloutSettings,
    selection: Selection,
    values: NDArray[np.float64],
    dones: NDArray[np.bool_],
) -> States:
    """The kept states ``[N, D]`` with their labels and columns.

    Args:
        settings: The set, its environment, and its agent.
        selection: Which states are kept.
        values: The kept states, in the order of ``selection.rows``.
        dones: Whether an episode ended with a step, for each environment and step ``[K, T]``.
    """
    # Environments whose episodes end early go through several.
    begins = np.pad(dones[:, :-1], ((0, 0), (1, 0)))
    numbers = np.cumsum(begins, axis=1)
    now = np.arange(dones.shape[1])
    steps = now - np.maximum.accumulate(np.where(begins, now, 0), axis=1)
    environment, kept = np.divmod(selection.rows, math.ceil(dones.shape[1] / KEEP_EVERY))
    place = environment, KEEP_EVERY * kept
    names = [
        f"checkpoint {policy.stem}" if policy else RANDOM_POLICY for policy in selection.policies
    ]
    columns = {
        "origin": np.array(names)[environment // selection.trajectories],
        "trajectory": environment * (numbers[:, ::KEEP_EVERY].max() + 1) + numbers[place],
        "step": steps[place],
    }
    return labeled(settings.environment, values, columns)
