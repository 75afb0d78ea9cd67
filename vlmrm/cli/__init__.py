"""The command line: one command per rule of the workflow, usable without it.

Commands import what they need when they run, so that bad input is answered at once.
"""

from __future__ import annotations

import logging
import sys
from typing import NoReturn

import typer

from vlmrm.errors import UserError

app = typer.Typer(
    help="Train agents from a sentence: CLIP models as reward models for reinforcement learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> NoReturn:
    """Runs the command line; a user's error is one line and exit status 2."""
    from vlmrm.cli import agents, models, results, score, spine

    logging.basicConfig(level=logging.WARNING)
    for part in (models, spine, agents, results, score):
        part.register(app)
    try:
        app()
    except UserError as error:
        sys.exit(_report(error))
    sys.exit(0)


def _report(error: UserError) -> int:
    print(f"vlmrm: {error}", file=sys.stderr)
    return 2
