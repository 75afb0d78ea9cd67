"""``vlmrm measure-diagnosis``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, ModelFolder, Output, StatesFile, pick
from vlmrm.config import load_config
from vlmrm.data.embeddings import read_embeddings
from vlmrm.data.files import read_scene, require_rows
from vlmrm.data.states import States
from vlmrm.data.tables import write_table
from vlmrm.errors import UserError


def measure_diagnosis(
    name: Annotated[str, typer.Argument(help="Name of an entry of `diagnoses`.")],
    config: ConfigFile,
    model: ModelFolder,
    states: StatesFile,
    embeddings: Annotated[Path, typer.Option(help="Image embeddings by this model (HDF5).")],
    output: Output,
) -> None:
    """Measure how good a reward the sentence of each task is, by one model in one scene."""
    content = load_config(config)
    pick(content.diagnoses, "diagnoses", name)
    settings = content.diagnosis_settings(name)
    state_set = States.read(states)
    if not {"path", "progress"} <= state_set.columns.keys():
        raise UserError(f"{states}: has no paths; use a set with `sampler: diagnosis`")
    images = read_embeddings(embeddings)
    require_rows(embeddings, len(images), len(state_set), "embeddings")
    scene = read_scene(embeddings)
    from vlmrm.diagnosis.tasks import measure_tasks
    from vlmrm.models.clip import ClipModel

    clip = ClipModel.load(model, "cpu")  # for a few sentences
    table = measure_tasks(state_set, images, clip.embed_prompts, settings)
    table.insert(1, "scene", scene)
    table.insert(2, "model", clip.name)
    write_table(output, table)
