"""States that an agent met while it learned: the paper's kind of state set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vlmrm.config.settings import RolloutSettings
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.tasks.oracles import labeled
from vlmrm.training.evaluation import play

KEEP_EVERY = 5
"""Environment steps between two states that are kept: the next ones look alike."""


def sample_rollouts(settings: RolloutSettings, folder: Path, workers: int | None = None) -> States:
    """Lets the policy of every checkpoint act as in training, and keeps a share of the states.

    Columns: ``origin`` (the checkpoint) and ``trajectory``. Labeled by the oracles of the
    environment.

    Args:
        settings: How many states (they are spread evenly over the checkpoints), and how the agent
            acts.
        folder: Results of the training, with ``checkpoints/STEPS.zip``.
        workers: As for `vlmrm.training.evaluation.evaluate`.

    Raises:
        UserError: The folder holds no checkpoint, or one of another environment.
    """
    policies = sorted((folder / "checkpoints").glob("[0-9]*.zip"))
    if not policies:
        raise UserError(f"{folder}: holds no checkpoints; train the agent first")
    spec = settings.spec
    rng = np.random.default_rng(spec.seed)
    kept_of_each = -(-settings.episode_steps // KEEP_EVERY)
    trajectories = -(-spec.size // (kept_of_each * len(policies)))
    values, origin = [], []
    for policy in policies:
        states, _ = play(
            policy, settings, trajectories, int(rng.integers(2**31)), workers,
            explore=True,
        )  # fmt: skip
        values.append(states[:, ::KEEP_EVERY])
        origin += [f"checkpoint {policy.stem}"] * trajectories
    every = np.concatenate(values)
    flat = every.reshape(-1, every.shape[-1])
    chosen = np.sort(rng.choice(len(flat), spec.size, replace=False))
    trajectory = np.arange(len(every)).repeat(every.shape[1])[chosen]
    columns = {"origin": np.array(origin)[trajectory], "trajectory": trajectory}
    return labeled(spec.environment, flat[chosen], columns)
