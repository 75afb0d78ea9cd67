"""The command line: a module per command, each named after the rule of the workflow that runs it.

A command's module is imported when that command runs or prints its help. Modules that load PyTorch,
MuJoCo, or pandas are imported inside the command, after it has checked its input.
"""

from __future__ import annotations

import gc
import importlib
import logging
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from vlmrm.errors import UserError, printable
from vlmrm.machine.gpus import hide_gpus
from vlmrm.machine.libraries import explain_opengl
from vlmrm.terminal.bars import bars_are_shown, redirect_bars

LOGGER = logging.getLogger("vlmrm")
# `main` prints errors to the terminal; logging writes them to the log file, if there is one.
LOGGER.addHandler(logging.NullHandler())

COMMANDS = (
    # Models
    "check-models",
    "copy-model",
    "fetch-model",
    "make-random-model",
    "make-corpus",
    "train-model",
    "compare-precision",
    # From states to rewards
    "sample-states",
    "sample-rollouts",
    "join-states",
    "render-frames",
    "embed-frames",
    "embed-prompts",
    "score-states",
    # Measurements
    "measure-epic",
    "measure-agreement",
    "measure-checkpoints",
    "check-lookup",
    # Agents
    "train-policy",
    "evaluate-policy",
    "evaluate-random-policy",
    # Figures
    "draw-scenes",
    "draw-poses",
    "draw-boundaries",
    "draw-landscape",
    "draw-epic",
    "draw-epic-by-alpha",
    "draw-epic-overview",
    "draw-rewards-by-label",
    "draw-rounds",
    "draw-best-of-n",
    "draw-optimization",
    "draw-learning-curves",
    "draw-success",
    # By hand
    "score",
    "diagnose",
    "label",
    "summarize",
    "plan",
    "doctor",
)
"""Every command, in the order of the workflow."""


class Commands(TyperGroup):
    """Imports the module of a command on demand."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"{__name__}.{name}")
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(cmd_name)(getattr(module, name))
        return typer.main.get_command(single)


app = typer.Typer(
    cls=Commands,
    help="Train agents from a sentence: CLIP models as reward models for reinforcement learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    log: Annotated[
        Path | None, typer.Option(help="Also write warnings and errors to this file.")
    ] = None,
) -> None:
    """Options before the command."""
    hide_gpus()
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        redirect_bars(log)
        handler = logging.FileHandler(log, mode="w")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logging.getLogger().addHandler(handler)
        logging.captureWarnings(True)
        # The file also gets messages of level INFO, which the terminal does not show.
        LOGGER.setLevel(logging.INFO)
        LOGGER.info("vlmrm %s", " ".join(sys.argv[1:]))


def main() -> NoReturn:
    """Runs the command line; a `UserError` is printed without traceback, with exit status 2."""
    # Imports make a million objects and no garbage; this spares a tenth of their time.
    gc.set_threshold(100_000, 20, 20)
    try:
        with explain_opengl():
            app()
    except UserError as error:
        LOGGER.error(error)
        if not bars_are_shown():  # by a workflow, which shows the log too
            for line in str(error).split("\n"):
                print(f"vlmrm: {printable(line)}", file=sys.stderr)
        sys.exit(2)
    except Exception:
        LOGGER.exception("A bug in vlmrm or in a library, not in your input")
        raise
    sys.exit(0)
