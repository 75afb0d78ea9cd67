"""``vlmrm score``: how well pictures match a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vlmrm.errors import UserError
from vlmrm.models.folder import check_model_folder


def score(
    images: Annotated[list[Path], typer.Argument(help="Pictures in any common format.")],
    model: Annotated[Path, typer.Option(help="Model folder.")],
    goal: Annotated[list[str], typer.Option(help="Sentence; repeat it to average several.")],
    baseline: Annotated[
        list[str] | None, typer.Option(help="Sentence that describes any picture.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Regularization strength, 0 to 1.")] = 0.0,
    device: Annotated[str, typer.Option(help="Torch device, or auto.")] = "auto",
) -> None:
    """Print the score of each picture, a line each, best first."""
    if not 0 <= alpha <= 1:
        raise UserError(f"--alpha: must lie in [0, 1], got {alpha}")
    if alpha > 0 and not baseline:
        raise UserError("--baseline: missing; --alpha above 0 needs one")
    # All pictures are read before the model is, which takes seconds.
    pictures = [_read(path) for path in images]
    check_model_folder(model)
    from vlmrm.rewards.vlm import VLMReward

    reward = VLMReward.load(model, goal, baseline, alpha, device)
    scores = [float(reward(picture[None])[0]) for picture in pictures]
    for value, path in sorted(zip(scores, images, strict=True), reverse=True):
        print(f"{value:.4f}  {path}")


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise UserError(f"{path}: not a readable picture") from error
