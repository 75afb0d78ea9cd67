"""``vlmrm score-states``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Output, StatesFile, TaskName, pick
from vlmrm.config import load_config
from vlmrm.data.embeddings import (
    read_embeddings,
    read_full_precision,
    read_prompt_embeddings,
)
from vlmrm.data.files import read_provenance, require_rows
from vlmrm.data.states import States
from vlmrm.data.tables import write_table


def score_states(
    config: ConfigFile,
    task: TaskName,
    states: StatesFile,
    embeddings: Annotated[Path, typer.Option(help="Image embeddings (HDF5).")],
    prompts: Annotated[Path, typer.Option(help="Prompt embeddings of the same model (HDF5).")],
    output: Output,
    each_goal: Annotated[
        bool, typer.Option("--each-goal", help="By each goal sentence, not by their average.")
    ] = False,
) -> None:
    """Score embedded states for a task with every scoring."""
    content = load_config(config)
    pick(content.tasks, "tasks", task)
    settings = content.scoring_settings(task)
    state_set = States.read(states)
    state_set.check_environment(states, task, settings.environment)
    from vlmrm.rewards import scoring

    images, sentences = read_embeddings(embeddings), read_prompt_embeddings(prompts)
    require_rows(embeddings, len(images), len(state_set), "embeddings")
    if each_goal:
        table = scoring.score_by_goal(images, sentences, settings)
    else:
        table = scoring.score_states(images, sentences, settings)
    source = read_provenance(embeddings)
    table.insert(0, "scene", source["scene"])
    table.insert(1, "model", source["model"])
    origin = {key: source.get(key) for key in ("model", "license", "precision")}
    errors = {}
    if not each_goal and (sample := read_full_precision(embeddings)):
        errors = scoring.precision_errors(table, sample, sentences, settings)
    write_table(output, table, scorings=settings.scorings, precision_errors=errors, **origin)
