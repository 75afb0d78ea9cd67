"""``vlmrm make-corpus``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile, Gpus, Output, Workers, pick
from vlmrm.config import load_config
from vlmrm.data.frames import FrameReader
from vlmrm.data.states import States
from vlmrm.errors import UserError
from vlmrm.machine.gpus import claim_gpus


def make_corpus(
    name: Annotated[str, typer.Argument(help="Name of a corpus of the configuration.")],
    config: ConfigFile,
    output: Output,
    states: Annotated[
        list[Path] | None,
        typer.Option(help="States that are added (HDF5); repeat in the order of `states`."),
    ] = None,
    frames: Annotated[
        list[Path] | None,
        typer.Option(help="Frames of each, for a corpus with `captions`."),
    ] = None,
    workers: Workers = None,
    gpus: Gpus = 1,
) -> None:
    """Make the image-text pairs on which simulator-trained models are trained."""
    content = load_config(config)
    settings = pick(content.corpora, "corpora", name)
    added = [States.read(path) for path in states or []]
    if len(added) != len(settings.states):
        needed = f"{len(settings.states)} sets, but --states gives {len(added)}"
        raise UserError(f"corpora.{name}.states: {needed}; give a file for each")
    for path, part, expected in zip(states or [], added, settings.states, strict=True):
        if part.environment != (environment := content.state_sets[expected].environment):
            raise UserError(
                f"{path}: holds {part.environment} states, not those of {environment}, as "
                f"'{expected}'; give the file of that set"
            )
    needed_frames = added if settings.captions is not None else []
    if len(frames or []) != len(needed_frames):
        needed = f"{len(needed_frames)} sets need frames, but --frames gives {len(frames or [])}"
        raise UserError(f"corpora.{name}.states: {needed}; give a file for each")
    claim_gpus(gpus)
    from vlmrm.pretraining import captioned, corpus

    # Sets of the same name differ between runs.
    context = {"run": content.run} if added else {}
    if settings.captions is None:
        corpus.make_corpus(settings, output, workers, added, **context)
        return
    with ExitStack() as stack:
        readers = [stack.enter_context(FrameReader(path)) for path in frames or []]
        sets = list(zip(added, readers, strict=True))
        captioned.make_captioned_corpus(settings, f"corpora.{name}", sets, output, **context)
