"""Humanoid states on the path to a task's pose, for its reward landscape."""

from __future__ import annotations

import numpy as np

from vlmrm.config import PathStates
from vlmrm.data.states import States
from vlmrm.tasks.body import Floats
from vlmrm.tasks.oracles import labeled
from vlmrm.tasks.poses import between, combinations, pose_library, settled

START = "upright, hanging"
START_OF = {"standing": "squat, forward"}
"""Starting poses of tasks whose path does not begin at `START`."""


def sample_paths(spec: PathStates) -> States:
    """States at even distances between a starting pose and the first pose of each task.

    Columns: ``path`` (its task) and ``progress`` (0 at the start of the path, 1 at its end).
    """
    progress = np.linspace(0, 1, spec.points)
    values = np.concatenate([_path(task, progress) for task in spec.tasks])
    columns = {
        "path": np.repeat(np.array(spec.tasks), spec.points),
        "progress": np.tile(progress, len(spec.tasks)),
    }
    return labeled("humanoid", values, columns)


def _path(task: str, progress: Floats) -> Floats:
    first = settled(combinations()[START_OF.get(task, START)][None])
    last = next(pose.state for pose in pose_library().values() if task in pose.tasks)
    return between(first, last[None], progress)
