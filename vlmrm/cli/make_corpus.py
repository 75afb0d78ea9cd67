"""``vlmrm make-corpus``."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Gpus, Output, Workers, pick
from vlmrm.config import load_config
from vlmrm.machine.gpus import claim_gpus


def make_corpus(
    name: Annotated[str, typer.Argument(help="Name of a corpus of the configuration.")],
    config: ConfigFile,
    output: Output,
    workers: Workers = None,
    gpus: Gpus = 1,
) -> None:
    """Render the image-text pairs on which simulator-trained models are trained."""
    settings = pick(load_config(config).corpora, "corpora", name)
    claim_gpus(gpus)
    from vlmrm.pretraining import corpus

    corpus.make_corpus(settings, output, workers)
