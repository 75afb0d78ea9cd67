"""State sets of the states that an agent visits during training, as in the paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vlmrm.config.settings import RolloutSettings
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.rewards.windows import WINDOW_STEPS
from vlmrm.tasks.oracles import labeled
from vlmrm.training.evaluation import play

KEEP_EVERY = WINDOW_STEPS
"""Keep every fifth state, because neighboring states look alike."""


def sample_rollouts(settings: RolloutSettings, folder: Path, workers: int | None = None) -> States:
    """Runs the policy of every checkpoint as in training, and keeps some of the states.

    The states are labeled by the oracles of the environment. Columns: ``origin`` (the checkpoint),
    ``trajectory``, and ``step`` (its number in the trajectory, from 0).

    Args:
        settings: Environment, agent, and number of states, in equal shares from all checkpoints.
        folder: Results folder of the training, with ``checkpoints/STEPS.zip``.
        workers: As in `vlmrm.training.evaluation.evaluate`.

    Raises:
        UserError: The folder contains no checkpoints, or those of another agent.
    """
    policies = sorted((folder / "checkpoints").glob("[0-9]*.zip"))
    if not policies:
        raise UserError(f"{folder}: has no checkpoints; train the agent first")
    spec = settings.spec
    rng = np.random.default_rng(spec.seed)
    kept_of_each = -(-settings.episode_steps // KEEP_EVERY)
    trajectories = -(-spec.size // (kept_of_each * len(policies)))
    values, origin = [], []
    for policy in policies:
        states, _ = play(
            policy, settings, trajectories, int(rng.integers(2**31)), workers,
            explore=spec.explore,
        )  # fmt: skip
        values.append(states[:, ::KEEP_EVERY])
        origin += [f"checkpoint {policy.stem}"] * trajectories
    every = np.concatenate(values)
    flat = every.reshape(-1, every.shape[-1])
    rows = np.sort(rng.choice(len(flat), spec.size, replace=False))
    trajectory, kept = np.divmod(rows, every.shape[1])
    columns = {
        "origin": np.array(origin)[trajectory],
        "trajectory": trajectory,
        "step": KEEP_EVERY * kept,
    }
    return labeled(spec.environment, flat[rows], columns)
