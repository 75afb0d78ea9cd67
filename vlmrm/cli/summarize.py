"""``vlmrm summarize``: what a run found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.config import load_config
from vlmrm.errors import UserError
from vlmrm.page.contents import PAGE
from vlmrm.page.summary import epic_lines, outcomes, video_of


def summarize(
    results: Annotated[Path, typer.Argument(help="Folder of a run, such as results/demo.")],
) -> None:
    """Print what a run found: a line for each EPIC set and each task, and where a video of it is.

    What is not finished is left out.
    """
    if not (results / "config.yaml").is_file():
        raise UserError(f"{results}: holds no results of a run; give a folder such as results/demo")
    config = load_config(results / "config.yaml")
    measured, reached = list(epic_lines(results, config)), list(outcomes(results, config))
    if not measured and not reached:
        print(f"{results}: no measurement and no agent is finished yet.")
    for line in measured:
        print(line)
    for outcome in reached:
        print(outcome)
        video = results / video_of(outcome.run)
        if video.is_file():
            print(f"    {video}")
    page = results / PAGE
    if page.is_file() or measured or reached:
        print(f"All figures, videos, and tables: {page if page.is_file() else results}")
