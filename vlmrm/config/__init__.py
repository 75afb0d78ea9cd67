"""The whole configuration as typed models: one validator for the CLI, the Snakefile and tests.

Every key is explained by its description here, and by `config/demo.yaml` where it stands.
"""

from vlmrm.config.config import Config
from vlmrm.config.loading import load_config, parse_config
from vlmrm.config.measurements import (
    Epic,
    GridStates,
    Landscape,
    PoseStates,
    Rendering,
    StateSet,
    Task,
    UniformStates,
)
from vlmrm.config.models import (
    Corpus,
    Model,
    PretrainedModel,
    RandomModel,
    SimulatorModel,
)
from vlmrm.config.section import (
    RANDOM_POLICY,
    SCENES,
    Alpha,
    EnvironmentName,
    HumanoidOracleName,
    Name,
    OracleName,
    PositiveInt,
    Section,
)
from vlmrm.config.training import (
    DQN,
    SAC,
    Algorithm,
    Evaluation,
    Experiment,
    OffPolicy,
    Training,
    TrainingRun,
)

__all__ = [
    "DQN",
    "RANDOM_POLICY",
    "SAC",
    "SCENES",
    "Algorithm",
    "Alpha",
    "Config",
    "Corpus",
    "EnvironmentName",
    "Epic",
    "Evaluation",
    "Experiment",
    "GridStates",
    "HumanoidOracleName",
    "Landscape",
    "Model",
    "Name",
    "OffPolicy",
    "OracleName",
    "PoseStates",
    "PositiveInt",
    "PretrainedModel",
    "RandomModel",
    "Rendering",
    "Section",
    "SimulatorModel",
    "StateSet",
    "Task",
    "Training",
    "TrainingRun",
    "UniformStates",
    "load_config",
    "parse_config",
]
