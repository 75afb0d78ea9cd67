"""``vlmrm score``: how well images match a sentence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import (
    Baselines,
    Contrasts,
    Device,
    Goals,
    ModelFolder,
    ScoringName,
    check_sentences,
)
from vlmrm.config.scoring import PLAIN
from vlmrm.data.pictures import check_picture, read_picture
from vlmrm.errors import UserError, blaming, printable
from vlmrm.models.folder import check_model_folder, has_read_shipped_captions


def score(
    images: Annotated[list[Path], typer.Argument(help="Images in any common format.")],
    model: ModelFolder,
    goal: Goals,
    baseline: Baselines = None,
    contrast: Contrasts = None,
    scoring: ScoringName = PLAIN,
    device: Device = "auto",
) -> None:
    """Print the score of each image, one per line, best first."""
    check_sentences(goal, [scoring], baseline, contrast)
    # Loading the model takes seconds, so unreadable images are reported first.
    for path in images:
        check_picture(path)
    folder = check_model_folder(model)
    from vlmrm.models.clip import ClipModel
    from vlmrm.rewards.vlm import VLMReward

    clip = ClipModel.load(folder, device)
    with blaming("--goal, --baseline, --contrast"):
        reward = VLMReward(clip, goal, baseline, scoring, contrast)
    if has_read_shipped_captions(folder):
        from vlmrm.pretraining.phrases import new_words_warning

        sentences = [*goal, *(baseline or []), *(contrast or [])]
        if warning := new_words_warning(clip.name, sentences):
            print(printable(warning), file=sys.stderr)
    scores, problems = [], []
    for path in images:
        try:
            scores.append((float(reward(read_picture(path)[None])[0]), path))
        except UserError as error:  # damage that shows only while a picture is decoded
            problems.append(error)
    for value, path in sorted(scores, reverse=True):
        print(f"{value:.4f}  {path}")
    if problems:
        raise UserError("; ".join(map(str, problems)))
