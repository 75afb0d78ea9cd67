"""``vlmrm measure-epic``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, ModelFolder, Output, StatesFile, pick
from vlmrm.config import load_config
from vlmrm.data.files import read_provenance
from vlmrm.data.states import States
from vlmrm.data.tables import read_rewards, write_table
from vlmrm.errors import UserError
from vlmrm.labeling.labels import majority, read_answers
from vlmrm.models.folder import find_model_folder, read_model_provenance


def measure_epic(
    name: Annotated[str, typer.Argument(help="Name of an EPIC measurement of the configuration.")],
    config: ConfigFile,
    model: ModelFolder,
    states: StatesFile,
    rewards: Annotated[Path, typer.Option(help="The model's rewards for the states (Parquet).")],
    output: Output,
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Human labels (CSV) instead of the oracle's; may be repeated."),
    ] = None,
) -> None:
    """Measure the EPIC distance between rewards and labels with every scoring."""
    content = load_config(config)
    pick(content.epic, "epic", name)
    settings = content.epic_settings(name)
    origin = read_model_provenance(find_model_folder(model))
    state_set = States.read(states)
    state_set.check_environment(states, settings.task, settings.environment)
    scored = read_rewards(rewards, len(state_set))
    human_labels = None
    if labels:
        rows, _ = human_labels = majority(read_answers(labels, settings.task, state_set))
        if not len(rows):
            raise UserError(
                f"{labels[0]}: no state has a majority for task '{settings.task}'; label more"
            )
    from vlmrm.epic.measure import measure_rewards, with_origin

    table = measure_rewards(state_set, scored, settings, human_labels)
    write_table(output, with_origin(table, settings, origin, read_provenance(rewards)))
