"""The configuration, and where each artifact lies."""

import itertools
import os
import re
import sys
from pathlib import Path
from shlex import quote

from vlmrm.config import (
    RANDOM_POLICY,
    TrainingRun,
    check_configfiles,
    parse_config,
    scenes_of,
)
from vlmrm.config.diagnosis import diagnosed_tasks
from vlmrm.config.ensembles import ensemble_settings, member_settings
from vlmrm.config.optimization import studied
from vlmrm.errors import UserError
from vlmrm.page.contents import PAGE as PAGE_NAME
from vlmrm.page.contents import (
    TITLES,
    contents,
    first_exhibits,
    measurements_of,
    sized_models,
)

# Whether another workflow uses this one.
IS_MODULE = os.path.abspath(f"{workflow.basedir}/rules") != str(
    workflow.current_basedir
)

try:
    # Snakemake silently keeps the last of a key given twice.
    check_configfiles(workflow.configfiles)
    # A module's files are those of the workflow that uses it.
    settings = parse_config(
        config, ", ".join(map(str, workflow.configfiles)) or "config"
    )
except UserError as error:
    sys.exit(f"vlmrm: {error}")


RESULTS = f"results/{settings.run}"
LOGS = f"{RESULTS}/logs"
# What jobs took, read by `vlmrm plan`.
BENCHMARKS = f"{RESULTS}/benchmarks"

# Jobs run the commands of this Snakemake's environment, whether it is activated or not, and whatever
# other `vlmrm` is on PATH. Containers have a PATH of their own.
COMMANDS = Path(sys.executable).parent
os.environ.update(PATH=f"{COMMANDS}{os.pathsep}{os.environ.get('PATH', '')}")

# Shared by all runs: names of models and corpora mean the same everywhere.
CORPUS = "resources/corpora/{corpus}.h5"
# Stands for the folder of a model: it contains the checksum of the weights, and appears with them.
# Snakemake knows files again that were copied, but no folders.
MODEL = "resources/models/{model}/provenance.json"

PROMPTS = f"{RESULTS}/prompts/{{task}}/{{model}}.h5"
STATES = f"{RESULTS}/states/{{states}}.h5"
FRAMES = f"{RESULTS}/frames/{{states}}/{{scene}}.h5"
EMBEDDINGS = f"{RESULTS}/embeddings/{{states}}/{{scene}}/{{model}}.h5"
REWARDS = f"{RESULTS}/rewards/{{states}}/{{scene}}/{{model}}/{{task}}.parquet"
# Rewards by each goal sentence of a task, where these are members of an ensemble.
GOAL_REWARDS = f"{RESULTS}/goals/{{states}}/{{scene}}/{{model}}/{{task}}.parquet"
# Mean and spread of the rewards of an ensemble's members on its reference states.
STATISTICS = f"{RESULTS}/ensembles/{{scene}}/{{model}}/{{task}}.csv"
EPIC = f"{RESULTS}/epic/{{epic}}/{{scene}}/{{model}}.csv"
DIAGNOSIS = f"{RESULTS}/diagnoses/{{diagnosis}}/{{scene}}/{{model}}.csv"
LOOKUP = f"{RESULTS}/lookup/{{task}}/{{scene}}/{{model}}.csv"
RUN = "{task}/{scene}/{reward_source}/{scoring}/seed-{seed}"
POLICY = f"{RESULTS}/policies/{RUN}"
JUDGED_POLICY = (
    f"{POLICY}/{'best' if settings.evaluation.checkpoint == 'best' else 'policy'}.zip"
)
EVALUATION = f"{RESULTS}/evaluations/{RUN}"
CHECKPOINTS = f"{RESULTS}/optimization/{RUN}.csv"
SEARCH = f"{RESULTS}/searches/{{search}}/{RUN}.h5"
RANDOM_EVALUATION = f"{RESULTS}/evaluations/{{task}}/random"
FIGURES = f"{RESULTS}/figures"
TABLES = f"{RESULTS}/tables"
PAGE = f"{RESULTS}/{PAGE_NAME}"
# Says that the page has been made again after a part of the run.
PAGE_PART = f"{RESULTS}/page/{{part}}"


def config_file(wildcards, output):
    """The configuration that commands read, as a parameter.

    Snakemake does not compare parameters that depend on outputs, so that runs share models; what a
    command reads of the configuration is compared through the parameter `settings`.
    """
    # Without an executor, it answers a question, as `--summary` does.
    executes = workflow.executor_plugin is not None and not workflow.dryrun
    if executes and (IS_MODULE or workflow.execution_settings.no_hooks):
        write_config()  # which `onstart` does elsewhere, after its checks
    return str(CONFIG)


def reported(path, caption, category):
    """An output that is shown in the report, with its title instead of its file name."""
    subject = "".join(re.findall(r"\{\w+\}", Path(path).name))
    return report(
        path,
        caption=f"../report/captions/{caption}.rst",
        category=category,
        labels={"figure or table": TITLES[caption], "of": subject},
    )


def figure_outputs(name, caption, category):
    """Both files of a figure, as outputs; the PNG is shown in the report."""
    png = reported(f"{FIGURES}/{name}.png", caption, category)
    return {"svg": f"{FIGURES}/{name}.svg", "png": png}


def table_output(name, caption, category):
    """A table as an output that is shown in the report."""
    return reported(f"{TABLES}/{name}.csv", caption, category)


def any_of(names):
    """Wildcard constraint: one of these names."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    # Names may hold hyphens: without this, epic-alpha-NAME is the EPIC figure of "alpha-NAME" too.
    epic=any_of(settings.epic),
    diagnosis=any_of(settings.diagnoses),
    landscape=any_of(settings.landscapes),
    experiment=any_of(settings.experiments),
    rounds=any_of(settings.rounds),
    prediction=any_of(settings.predictions),
    search=any_of(settings.searches),
    scoring=r"(alpha|contrast)-[0-9.e-]+",  # 1e-05 is one
    seed=r"\d+",
    model="[^/]+",
    states="[^/]+",
    scene="[^/]+",
    task="[^/]+",
    reward_source="[^/]+",
