"""The command line: one command per rule of the workflow, usable without it.

Commands import what they need when they run, so that bad input is answered at once.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from vlmrm.errors import UserError
from vlmrm.machine.gpus import hide_gpus

LOGGER = logging.getLogger("vlmrm")
# Errors reach the terminal as one line, printed below, and the log file if there is one.
LOGGER.addHandler(logging.NullHandler())

app = typer.Typer(
    help="Train agents from a sentence: CLIP models as reward models for reinforcement learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    log: Annotated[
        Path | None, typer.Option(help="Write warnings and errors to this file as well.")
    ] = None,
) -> None:
    """Options that stand before the command."""
    hide_gpus()
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(log, mode="w")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logging.getLogger().addHandler(handler)
        logging.captureWarnings(True)
        # The progress bar stays on the terminal; what a batch system wants to read is in the file.
        LOGGER.setLevel(logging.INFO)
        LOGGER.info("vlmrm %s", " ".join(sys.argv[1:]))


def main() -> NoReturn:
    """Runs the command line; a user's error is one line and exit status 2."""
    from vlmrm.cli import agents, doctor, labeling, models, planning, results, score, spine

    for part in (models, spine, labeling, agents, results, score, doctor, planning):
        part.register(app)
    try:
        app()
    except UserError as error:
        LOGGER.error(error)
        print(f"vlmrm: {error}", file=sys.stderr)
        sys.exit(2)
    except Exception:
        LOGGER.exception("A defect of vlmrm or of a library, not of your input")
        raise
    sys.exit(0)
