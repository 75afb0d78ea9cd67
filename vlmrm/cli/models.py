"""Obtaining models: ``vlmrm model ...``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Device, Output, pick
from vlmrm.config import PretrainedModel, RandomModel, SimulatorModel, load_config
from vlmrm.errors import UserError

models = typer.Typer(help="Obtain CLIP models as folders.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the entry in the configuration.")]


def register(app: typer.Typer) -> None:
    app.add_typer(models, name="model")


@models.command()
def fetch(name: Name, config: ConfigFile, output: Output) -> None:
    """Download a published model."""
    settings = pick(load_config(config).models, "models", name)
    if not isinstance(settings, PretrainedModel):
        raise UserError(f"models.{name}.source: is {settings.source}, only 'pretrained' is fetched")
    from vlmrm.models.pretrained import fetch_pretrained

    fetch_pretrained(settings, output)


@models.command()
def random(name: Name, config: ConfigFile, output: Output) -> None:
    """Make an untrained model, the control."""
    settings = pick(load_config(config).models, "models", name)
    if not isinstance(settings, RandomModel):
        raise UserError(f"models.{name}.source: is {settings.source}, but 'random' is made here")
    from vlmrm.models.untrained import make_random_model

    make_random_model(settings, output)


@models.command()
def corpus(name: Name, config: ConfigFile, output: Output) -> None:
    """Render the image-text pairs that the offline family is trained on."""
    settings = load_config(config)
    from vlmrm.models.corpus import make_corpus

    make_corpus(pick(settings.corpora, "corpora", name), settings.rendering, output)


@models.command()
def pretrain(
    name: Name,
    config: ConfigFile,
    corpus: Annotated[Path, typer.Option(help="Image-text pairs from `vlmrm model corpus`.")],
    output: Output,
    device: Device = "auto",
) -> None:
    """Train a model of the offline family on a corpus."""
    settings = load_config(config)
    model = pick(settings.models, "models", name)
    if not isinstance(model, SimulatorModel):
        raise UserError(
            f"models.{name}.source: is {model.source}, only 'simulator' is trained here"
        )
    from vlmrm.models.pretraining import pretrain as run

    run(model, corpus, output, device)
