"""``vlmrm compare-precision``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from vlmrm.cli.options import (
    Baselines,
    Contrasts,
    Device,
    FramesFile,
    Goals,
    ScoringName,
    check_sentences,
)
from vlmrm.config.scoring import PLAIN
from vlmrm.data.frames import FrameReader
from vlmrm.data.tables import write_table
from vlmrm.errors import blaming
from vlmrm.models.folder import check_model_folder


def compare_precision(
    model: Annotated[Path, typer.Argument(help="Model folder, or packaged model.")],
    frames: FramesFile,
    goal: Goals,
    baseline: Baselines = None,
    contrast: Contrasts = None,
    scoring: ScoringName = PLAIN,
    count: Annotated[int, typer.Option(min=2, help="Number of frames, evenly spaced.")] = 200,
    device: Device = "auto",
    output: Annotated[Path | None, typer.Option(help="Write the table here (CSV).")] = None,
) -> None:
    """Compare a model's rewards and speed in float32, bfloat16, and (on CUDA) float16."""
    check_sentences(goal, [scoring], baseline, contrast)
    check_model_folder(model)
    from vlmrm.rewards.precision import compare_precisions

    with FrameReader(frames) as reader:
        rows = np.linspace(0, len(reader) - 1, min(count, len(reader))).astype(int)
        images = reader[rows]
    with blaming("--goal, --baseline, --contrast"):
        table = compare_precisions(
            model, images, goal, baseline or (), scoring, contrast or (), device
        )
    print(f"{len(images)} frames, {scoring}, {device}")
    print(table.to_string(index=False, float_format="{:.4g}".format))
    if output is not None:
        write_table(output, table)
