"""Humanoid states by which a sentence is judged before any training."""

from __future__ import annotations

import numpy as np

from vlmrm.config import DiagnosisStates
from vlmrm.data.states import States
from vlmrm.states.paths import sample_paths
from vlmrm.states.poses import sample_poses
from vlmrm.tasks.oracles import ORACLES
from vlmrm.terminal.bars import bar


def sample_diagnosis(spec: DiagnosisStates) -> States:
    """States on the path to every pose, then poses of all tasks in equal shares.

    Columns: ``path`` (the task of a path, empty for poses), ``progress`` (0 at the start of a path,
    1 at its end), ``score TASK`` (how close the state is to the task, by its oracle), ``origin``,
    and ``trajectory``.
    """
    paths, tasks = spec.paths, spec.paths.tasks
    on_paths = sample_paths(paths)
    sets = {"paths": on_paths}
    for task, poses in bar(spec.around.items(), unit="task", desc="sample states"):
        sets[task] = sample_poses(poses)
    states = States.join(sets)
    beyond = len(states) - len(on_paths)
    states.columns |= {
        "path": np.append(on_paths.columns["path"], np.full(beyond, "")),
        "progress": np.append(on_paths.columns["progress"], np.zeros(beyond)),
        **{f"score {task}": ORACLES[task].score(states.values) for task in tasks},
    }
    return states
