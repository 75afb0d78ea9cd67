"""State sets, one module per sampler."""

from __future__ import annotations

from vlmrm.config import DiagnosisStates, GridStates, PathStates, PoseStates, UniformStates
from vlmrm.data.states import States
from vlmrm.states.diagnosis import sample_diagnosis
from vlmrm.states.grid import sample_grid
from vlmrm.states.paths import sample_paths
from vlmrm.states.poses import sample_poses
from vlmrm.states.uniform import sample_uniform


def sample_states(
    spec: GridStates | UniformStates | PoseStates | PathStates | DiagnosisStates,
) -> States:
    """Samples a state set, labeled by the oracles of its environment."""
    match spec:
        case GridStates():
            return sample_grid(spec)
        case UniformStates():
            return sample_uniform(spec)
        case PoseStates():
            return sample_poses(spec)
        case PathStates():
            return sample_paths(spec)
        case DiagnosisStates():
            return sample_diagnosis(spec)
