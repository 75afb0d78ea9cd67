"""``vlmrm score``: how well images match a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import Baselines, Device, Goals
from vlmrm.data.pictures import check_picture, read_picture
from vlmrm.errors import UserError
from vlmrm.models.folder import check_model_folder


def score(
    images: Annotated[list[Path], typer.Argument(help="Images in any common format.")],
    model: Annotated[Path, typer.Option(help="Model folder.")],
    goal: Goals,
    baseline: Baselines = None,
    alpha: Annotated[float, typer.Option(help="Regularization strength, 0 to 1.")] = 0.0,
    device: Device = "auto",
) -> None:
    """Print the score of each image, one per line, best first."""
    if not 0 <= alpha <= 1:
        raise UserError(f"--alpha: must lie in [0, 1], got {alpha}")
    if alpha > 0 and not baseline:
        raise UserError("--baseline: missing; --alpha above 0 needs one")
    # Loading the model takes seconds, so unreadable images are reported first.
    for path in images:
        check_picture(path)
    check_model_folder(model)
    from vlmrm.rewards.vlm import VLMReward

    reward = VLMReward.load(model, goal, baseline, alpha, device)
    scores = [float(reward(read_picture(path)[None])[0]) for path in images]
    for value, path in sorted(zip(scores, images, strict=True), reverse=True):
        print(f"{value:.4f}  {path}")
