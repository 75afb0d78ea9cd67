"""The configuration as typed models: one validator for the CLI, the Snakefile, and the tests.

The description of each key is its docstring here. `docs/configuration.py` makes
docs/configuration.md and the JSON schema from them.
"""

from vlmrm.config.base import (
    ORACLE_NAMES,
    RANDOM_POLICY,
    REFERENCES,
    SCENES,
    EnvironmentName,
    HumanoidOracleName,
    OracleName,
    Precision,
    WideFrames,
    default_scene,
    scenes_of,
)
from vlmrm.config.config import Config
from vlmrm.config.environments import Environment
from vlmrm.config.loading import (
    check_configfiles,
    load_config,
    parse_config,
    read_layer,
    read_yaml,
)
from vlmrm.config.measurements import Epic, Landscape, Rendering, Task
from vlmrm.config.models import (
    Corpus,
    EnsembleModel,
    FunctionModel,
    PackagedModel,
    PretrainedModel,
    RandomModel,
    SimulatorModel,
)
from vlmrm.config.paper_code import PaperCode
from vlmrm.config.sentences import different, say_the_same
from vlmrm.config.states import (
    DiagnosisStates,
    GridStates,
    PathStates,
    PoseStates,
    RolloutStates,
    StateSet,
    UniformStates,
    UnionStates,
)
from vlmrm.config.trainable import check_run
from vlmrm.config.training import DQN, SAC, TrainingRun

__all__ = [
    "DQN",
    "ORACLE_NAMES",
    "RANDOM_POLICY",
    "REFERENCES",
    "SAC",
    "SCENES",
    "Config",
    "Corpus",
    "DiagnosisStates",
    "EnsembleModel",
    "Environment",
    "EnvironmentName",
    "Epic",
    "FunctionModel",
    "GridStates",
    "HumanoidOracleName",
    "Landscape",
    "OracleName",
    "PackagedModel",
    "PaperCode",
    "PathStates",
    "PoseStates",
    "Precision",
    "PretrainedModel",
    "RandomModel",
    "Rendering",
    "RolloutStates",
    "SimulatorModel",
    "StateSet",
    "Task",
    "TrainingRun",
    "UniformStates",
    "UnionStates",
    "WideFrames",
    "check_configfiles",
    "check_run",
    "default_scene",
    "different",
    "load_config",
    "parse_config",
    "read_layer",
    "read_yaml",
    "say_the_same",
    "scenes_of",
]
