"""Labeled sets of humanoid states around poses.

A pose is a stance with arms. Every stance of the library is combined with every position of the
arms, and the oracles decide which combinations fulfill which task.
"""

from __future__ import annotations

import math
from functools import cache

import mujoco
import numpy as np

from vlmrm.config import PoseStates
from vlmrm.config.states import KEEP_EVERY
from vlmrm.data.states import States
from vlmrm.envs.humanoid import humanoid_model
from vlmrm.tasks.body import QPOS, Floats
from vlmrm.tasks.oracles import ORACLES, labeled
from vlmrm.tasks.poses import combinations, perturbed, pose_library, settled, turned

FACING = 0.75
"""Share of states that face the fixed camera, as an agent does at the start of an episode."""
TURN = 0.5
"""Standard deviation in radians of the direction of these states."""
SPREAD = 0.3
"""Largest distance in meters, along each axis, from the point that the fixed camera faces."""

POSITIVES = 0.5
"""Share of a labeled set that starts from poses of the task; perturbations make some fail."""
HARD_NEGATIVES = 0.15
"""Share that starts from the task's hard negatives."""
ROLLOUTS = 0.15
"""Share that comes from random motion and falls. The rest are poses of other tasks."""

FRAME_SKIP = 5
"""Simulator steps of an environment step, as in Gymnasium."""
EPISODE = 100
"""Environment steps of a random rollout."""


def sample_poses(spec: PoseStates) -> States:
    """A labeled set around the poses of a task.

    Half of it are perturbed poses that fulfill the task; the rest are hard negatives, any other
    poses (many differ from the task's only in the legs or arms), and random motion from any pose.
    Robots face in any direction and stand anywhere near the center of the frame.

    Columns: ``origin`` (name of the pose, or of the pose in which a random motion began) and
    ``trajectory`` (equal for states of the same motion).
    """
    names, poses = library()
    rng = np.random.default_rng([spec.seed, *spec.task.encode()])
    fulfills = ORACLES[spec.task](_settled_library())
    near = np.isin(names, [name for name, pose in pose_library().items() if spec.task in pose.near])
    n_positive, n_near, n_moving = (
        round(share * spec.size) for share in (POSITIVES, HARD_NEGATIVES, ROLLOUTS)
    )
    still = np.concatenate(
        [
            by_stance(fulfills, n_positive, rng),
            by_stance(near, n_near, rng),
            by_stance(~fulfills, spec.size - n_positive - n_near - n_moving, rng),
        ]
    )
    moving, start = random_motion(n_moving, rng)
    values = placed(np.concatenate([perturbed(poses[still], rng), moving]), rng)
    # Each perturbed pose is a separate trajectory.
    trajectory = np.concatenate([np.arange(len(still)), len(still) + start[:, 0]])
    origin = [*names[still], *(f"random motion from {name}" for name in names[start[:, 1]])]
    order = rng.permutation(spec.size)
    columns = {"origin": np.array(origin)[order], "trajectory": trajectory[order]}
    return labeled("humanoid", values[order], columns)


def placed(states: Floats, rng: np.random.Generator) -> Floats:
    """Turns and moves the states: most roughly face the camera, the rest face any direction."""
    n = len(states)
    facing = rng.random(n) < FACING
    yaw = np.where(facing, rng.normal(0, TURN, n), rng.uniform(-np.pi, np.pi, n))
    states = turned(states, yaw)
    states[:, :2] += rng.uniform(-SPREAD, SPREAD, (n, 2))
    return states


def random_motion(count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """States of rollouts under random torques, from standing and from random poses.

    Returns:
        States ``[count, 47]``, and ``[count, 2]``: index of the rollout and of its first pose.
    """
    names, poses = library()
    per_rollout = EPISODE // KEEP_EVERY
    n_rollouts = math.ceil(count / per_rollout)
    model = humanoid_model()
    data = mujoco.MjData(model)
    upright = int(np.flatnonzero(names == "upright, hanging")[0])
    states = np.empty((n_rollouts, per_rollout, poses.shape[1]))
    firsts = np.empty(n_rollouts, dtype=int)
    for rollout in range(n_rollouts):
        # Agents start upright; so do half of the rollouts.
        first = upright if rng.random() < 0.5 else int(rng.integers(len(poses)))
        firsts[rollout] = first
        mujoco.mj_resetData(model, data)
        data.qpos[:], data.qvel[:] = np.split(perturbed(poses[[first]], rng)[0], [QPOS])
        strength = rng.uniform(0, 1)
        for step in range(EPISODE):
            # A policy's actions are correlated in time; white noise would cancel out.
            if step % 8 == 0:
                data.ctrl[:] = strength * rng.uniform(*model.actuator_ctrlrange.T)
            mujoco.mj_step(model, data, nstep=FRAME_SKIP)
            if step % KEEP_EVERY == 0:
                states[rollout, step // KEEP_EVERY] = np.concatenate([data.qpos, data.qvel])
    flat = states.reshape(-1, states.shape[-1])[:count]
    number = np.arange(n_rollouts).repeat(per_rollout)[:count]
    return flat, np.stack([number, firsts[number]], axis=1)


def by_stance(allowed: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of allowed poses; every stance is equally likely, however many poses it has."""
    names, _ = library()
    stances = np.array([name.split(", ")[0] for name in names])
    rows = {s: np.flatnonzero(allowed & (stances == s)) for s in np.unique(stances[allowed])}
    sampled = rng.choice(list(rows), count)
    return np.array([rng.choice(rows[stance]) for stance in sampled], dtype=int)


@cache
def _settled_library() -> Floats:
    _, poses = library()
    return settled(poses)


@cache
def library() -> tuple[np.ndarray, Floats]:
    """Names ``[P]`` ("stance, arms") and states ``[P, 47]`` of all combinations, unsettled."""
    states = combinations()
    return np.array(list(states)), np.stack(list(states.values()))
