"""``vlmrm measure-agreement``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Output, StatesFile, TaskName, pick
from vlmrm.config import load_config
from vlmrm.data.states import States
from vlmrm.data.tables import write_table
from vlmrm.errors import UserError
from vlmrm.labeling.labels import read_answers


def measure_agreement(
    labels: Annotated[list[Path], typer.Argument(help="Human labels (CSV).")],
    states: StatesFile,
    config: ConfigFile,
    task: TaskName,
    output: Output,
    bootstrap: Annotated[int, typer.Option(min=1, help="Resamples for each interval.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 0,
) -> None:
    """Measure how well raters agree with each other and with the oracle (Cohen's kappa)."""
    content = load_config(config)
    pick(content.tasks, "tasks", task)
    settings = content.agreement_settings(task, bootstrap, seed)
    state_set = States.read(states)
    state_set.check_environment(states, task, settings.environment)
    answers = read_answers(labels, task, state_set)
    if not answers:
        raise UserError(f"{labels[0]}: no labels for task '{task}'; add some with `vlmrm label`")
    judged = None
    if settings.oracle is not None:
        judged = state_set.oracle_labels(task, settings.oracle)
    elif len(answers) < 2:
        raise UserError(f"tasks.{task}.oracle: missing; without it, agreement needs a second rater")
    from vlmrm.labeling.agreement import agreement_table

    clusters = state_set.columns.get("trajectory")
    table = agreement_table(answers, judged, clusters, settings.bootstrap, settings.seed)
    table.insert(0, "task", task)
    write_table(output, table)
