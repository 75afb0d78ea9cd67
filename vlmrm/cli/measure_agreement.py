"""``vlmrm measure-agreement``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Output, StatesFile, pick
from vlmrm.config import load_config
from vlmrm.errors import UserError


def measure_agreement(
    name: Annotated[str, typer.Argument(help="Name of an EPIC measurement of the configuration.")],
    labels: Annotated[list[Path], typer.Argument(help="Labels by people (CSV).")],
    states: StatesFile,
    config: ConfigFile,
    output: Output,
) -> None:
    """Measure how far raters agree with each other and with the oracle (Cohen's kappa)."""
    content = load_config(config)
    pick(content.epic, "epic", name)
    settings = content.agreement_settings(name)
    from vlmrm.data.states import States
    from vlmrm.data.tables import write_table
    from vlmrm.epic.measure import oracle_labels
    from vlmrm.labeling.agreement import agreement_table
    from vlmrm.labeling.labels import check_environment, read_answers

    state_set, task = States.read(states), settings.task
    check_environment(task, settings.environment, state_set, states)
    answers = read_answers(labels, task, state_set)
    if not answers:
        raise UserError(f"{labels[0]}: no labels of task '{task}'; add some with `vlmrm label`")
    judged = None
    if settings.oracle is not None:
        judged = oracle_labels(state_set, task, settings.oracle)
    elif len(answers) < 2:
        raise UserError(f"tasks.{task}.oracle: missing, and one rater has nobody to agree with")
    clusters = state_set.columns.get("trajectory")
    table = agreement_table(answers, judged, clusters, settings.bootstrap, settings.seed)
    table.insert(0, "task", task)
    write_table(output, table)
