"""A search that climbs a reward over poses: optimization pressure without an agent.

An evolution strategy (Beyer and Schwefel, "Evolution strategies: a comprehensive introduction",
Natural Computing 1, 2002). Each child takes every limb from one of two parents; its joints, lean,
and heading change by Gaussian noise of a step size that it inherits and changes too; and it settles
in the simulation, where an unbalanced pose begins to tip over, which the oracle sees. Parents are
the best poses of all so far, a (mu + lambda) strategy: the proxy cannot fall, and after n poses,
parents are the best mu of n, as in best-of-n. What differs from best-of-n is that the n poses come
closer and closer to what the reward asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmrm.config.searches import flipped_share
from vlmrm.config.settings import SearchFigureSettings, SearchSettings
from vlmrm.config.training import TrainingRun
from vlmrm.data.files import read_provenance, reading
from vlmrm.data.states import States
from vlmrm.data.tables import require_columns
from vlmrm.errors import UserError
from vlmrm.states.compositions import LIMBS
from vlmrm.states.poses import SPREAD, by_stance, library, placed
from vlmrm.tasks.body import QPOS, Floats
from vlmrm.tasks.oracles import ORACLES, labeled
from vlmrm.tasks.poses import joint_limits, on_floor, perturbed, settled, tilted, turned
from vlmrm.terminal.bars import bar

SEARCH_STREAM = 0x5EA2C4
"""Seeds the random stream of searches; state sets and training states use other streams."""
STEP = np.radians(15)
"""First step size of a joint's angle: the standard deviation in radians."""
STEPS = np.radians(1), np.radians(45)
"""Smallest and largest step size."""
LEARNING = 1 / np.sqrt(20)
"""Standard deviation of the logarithm by which step sizes change: 1 / sqrt(dimensions)."""
LEAN = 0.5
"""Changes of the torso's lean and heading, relative to those of the joints."""

Reward = Callable[[Floats], NDArray[np.floating[Any]]]
"""Takes states ``[N, 47]``, returns rewards or verdicts ``[N]``."""


def control_reward(name: str, oracle: str, seed: int) -> Reward:
    """The reward of a control: ``oracle-score``, or ``flipped-F``.

    Args:
        name: Its name.
        oracle: The oracle whose score or verdict it is.
        seed: Seed of the verdicts that are flipped, in the order of the calls.
    """
    share = flipped_share(name)
    if share is None:
        return ORACLES[oracle].score
    rng = np.random.default_rng([SEARCH_STREAM, seed])

    def flipped(states: Floats) -> Floats:
        wrong = rng.random(len(states)) < share
        return np.asarray(ORACLES[oracle](states) != wrong, dtype=np.float64)

    return flipped


def search_poses(settings: SearchSettings, reward: Reward) -> States:
    """Climbs a reward over poses.

    Args:
        settings: The task, seed, and size of the search.
        reward: What is climbed.

    Returns:
        All poses that were tried, in order and labeled by all oracles, with the columns
        ``generation`` (from 0) and ``reward``.
    """
    run = settings.run
    rng = np.random.default_rng([SEARCH_STREAM, run.seed, *run.task.encode()])
    states, steps = _first_generation(settings.population, rng)
    rewards = np.asarray(reward(states), dtype=np.float64)
    for _ in bar(range(1, settings.generations), unit="generation", desc=f"search {run.task}"):
        best = best_first(rewards)[: settings.survivors]
        children, sizes = _children(states[best], steps[best], settings.population, rng)
        states, steps = np.concatenate([states, children]), np.concatenate([steps, sizes])
        rewards = np.append(rewards, reward(children))
    generation = np.arange(settings.generations).repeat(settings.population)
    return labeled("humanoid", states, {"generation": generation, "reward": rewards})


def best_first(rewards: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Rows ``[N]`` by their rewards ``[N]``, the highest first; of equal ones, the earlier."""
    return np.argsort(-rewards, kind="stable")


def measure_search(states: States, run: TrainingRun, oracle: str, survivors: int) -> pd.DataFrame:
    """Proxy and gold of the survivors, generation by generation.

    Args:
        states: The result of `search_poses`.
        run: The search.
        oracle: Its judge.
        survivors: Number of the best poses so far that are measured.

    Returns:
        One row per generation: the fields of the run; generation; steps (poses tried so far); and,
        of the best poses so far, proxy (mean reward), proxy_std (in standard deviations of the
        first generation's rewards, from their mean; 0 if all are equal), gold (share that fulfills
        the task), and score (mean score by the oracle).

    Raises:
        UserError: The states lack labels of the oracle.
    """
    rewards, generations = states.columns["reward"], states.columns["generation"]
    labels = states.oracle_labels(run.task, oracle)
    scores = ORACLES[oracle].score(states.values)
    first = rewards[generations == 0]
    spread = np.std(first) or np.inf
    rows = []
    for generation in np.unique(generations):
        tried = np.count_nonzero(generations <= generation)
        best = best_first(rewards[:tried])[:survivors]
        proxy = rewards[best].mean()
        row = {**run.model_dump(), "generation": generation, "steps": tried, "proxy": proxy}
        row |= {"proxy_std": (proxy - first.mean()) / spread}
        rows.append({**row, "gold": labels[best].mean(), "score": scores[best].mean()})
    return pd.DataFrame(rows)


def read_searches(paths: Sequence[Path], settings: SearchFigureSettings) -> list[States]:
    """Reads the poses of several searches, in any order; returns them in that of the settings.

    Raises:
        UserError: A file is missing or damaged, or no result of a search; or the files are not
            those of the searches.
    """
    if len(paths) != len(settings.runs):
        raise UserError(f"{len(paths)} files, but the entry has {len(settings.runs)} searches")
    found = {}
    for path in paths:
        states = States.read(path)
        require_columns(states.columns, ("generation", "reward"), path)
        with reading(path):
            run = TrainingRun(**read_provenance(path)["settings"]["run"])
        if run not in settings.runs or run in found:
            search = f"{run.reward_source}, {run.scoring} for task '{run.task}', seed {run.seed}"
            known = "given twice" if run in found else "no search of the entry"
            raise UserError(f"{path}: is of {search}, {known}; give one file for each search")
        found[run] = states
    return [found[run] for run in settings.runs]


def _first_generation(count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Perturbed poses ``[count, 47]`` of the whole library, and their step sizes ``[count]``."""
    _, poses = library()
    anywhere = np.ones(len(poses), dtype=bool)
    states = placed(perturbed(poses[by_stance(anywhere, count, rng)], rng), rng)
    return states, np.full(count, STEP)


def _children(
    parents: Floats, steps: Floats, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Settled children ``[count, 47]`` of parents ``[M, 47]``, and their step sizes ``[count]``."""
    first, second = rng.integers(len(parents), size=(2, count))
    children = parents[first]
    for limb in LIMBS:
        taken = rng.random((count, 1)) < 0.5
        children[:, limb] = np.where(taken, parents[second][:, limb], children[:, limb])
    # The geometric mean of both parents' step sizes, changed before it is used.
    sizes = np.sqrt(steps[first] * steps[second]) * np.exp(rng.normal(0, LEARNING, count))
    sizes = np.clip(sizes, *STEPS)
    noise = rng.normal(0, sizes[:, None], (count, QPOS - 7))
    children[:, 7:QPOS] = np.clip(children[:, 7:QPOS] + noise, *joint_limits().T)
    roll, pitch, yaw = rng.normal(0, LEAN * sizes, (3, count))
    children = turned(tilted(children, roll, pitch), yaw)
    # What settles may slide, and a reward may rise towards the camera.
    children[:, :2] = np.clip(children[:, :2], -SPREAD, SPREAD)
    children[:, QPOS:] = 0
    return settled(on_floor(children)), sizes
