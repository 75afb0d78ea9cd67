"""Obtaining models: ``vlmrm model ...``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar, get_args

import typer

from vlmrm.cli.options import ConfigFile, Device, Gpus, Output, pick
from vlmrm.config import PretrainedModel, RandomModel, SimulatorModel, load_config
from vlmrm.errors import UserError
from vlmrm.machine.gpus import claim_gpus

models = typer.Typer(help="Obtain CLIP models as folders.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the entry in the configuration.")]


Source = TypeVar("Source", PretrainedModel, RandomModel, SimulatorModel)


def register(app: typer.Typer) -> None:
    app.add_typer(models, name="model")


@models.command()
def fetch(name: Name, config: ConfigFile, output: Output) -> None:
    """Bring a published model here; an interrupted download continues."""
    settings = _entry(name, config, PretrainedModel)
    from vlmrm.models.pretrained import fetch_pretrained

    fetch_pretrained(name, settings, output)


@models.command()
def random(name: Name, config: ConfigFile, output: Output) -> None:
    """Make an untrained model, the control."""
    settings = _entry(name, config, RandomModel)
    from vlmrm.models.random_init import make_random_model

    make_random_model(settings, output)


@models.command()
def corpus(
    name: Name,
    config: ConfigFile,
    output: Output,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core.")] = None,
    gpus: Gpus = 1,
) -> None:
    """Render the image-text pairs that the offline family is trained on."""
    settings = load_config(config)
    claim_gpus(gpus)
    from vlmrm.pretraining.corpus import make_corpus

    make_corpus(pick(settings.corpora, "corpora", name), settings.rendering, output, workers)


@models.command()
def pretrain(
    name: Name,
    config: ConfigFile,
    corpus: Annotated[Path, typer.Option(help="Image-text pairs from `vlmrm model corpus`.")],
    output: Output,
    device: Device = "auto",
    gpus: Gpus = 1,
) -> None:
    """Train a model of the offline family on a corpus."""
    settings = _entry(name, config, SimulatorModel)
    claim_gpus(gpus)
    from vlmrm.pretraining.train import pretrain as run

    run(settings, corpus, output, device)


@models.command()
def precision(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    frames: Annotated[Path, typer.Option(help="Frames (HDF5).")],
    goal: Annotated[list[str], typer.Option(help="Sentence; repeat it to average several.")],
    baseline: Annotated[
        list[str] | None, typer.Option(help="Sentence that describes any picture.")
    ] = None,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="Regularization strength.")] = 0.0,
    count: Annotated[int, typer.Option(min=2, help="How many of the frames, evenly spread.")] = 200,
    device: Device = "auto",
    output: Annotated[Path | None, typer.Option(help="Write the table there (CSV).")] = None,
) -> None:
    """Compare rewards and speed in float32, bfloat16 and, on CUDA, float16."""
    if alpha > 0 and not baseline:
        raise UserError("--baseline: missing; --alpha above 0 needs one")
    from vlmrm.models.folder import check_model_folder

    check_model_folder(model)
    import numpy as np

    from vlmrm.data.frames import FrameReader
    from vlmrm.data.tables import write_table
    from vlmrm.rewards.precision import compare_precisions

    with FrameReader(frames) as reader:
        rows = np.linspace(0, len(reader) - 1, min(count, len(reader))).astype(int)
        chosen = reader[rows]
    table = compare_precisions(model, chosen, goal, baseline or (), alpha, device)
    print(f"{len(chosen)} frames, alpha {alpha:g}, {device}")
    print(table.to_string(index=False, float_format="{:.4g}".format))
    if output is not None:
        write_table(output, table)


def _entry(name: str, config: Path, kind: type[Source]) -> Source:
    """A model of the configuration, whose source has to be the one that the command is for."""
    settings = pick(load_config(config).models, "models", name)
    if not isinstance(settings, kind):
        (source,) = get_args(kind.model_fields["source"].annotation)
        raise UserError(
            f"models.{name}.source: is '{settings.source}', but this command is for '{source}'"
        )
    return settings
