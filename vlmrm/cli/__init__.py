"""The command line: a module per command, most named after the rule of the workflow that runs it.

A command's module is imported when that command runs or prints its help. Modules that load PyTorch,
MuJoCo, or pandas are imported inside the command, after it has checked its input.
"""

from __future__ import annotations

import gc
import importlib
import io
import logging
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from vlmrm.errors import UserError, lacking, printable, shorten
from vlmrm.machine.gpus import hide_gpus
from vlmrm.machine.libraries import explain_opengl
from vlmrm.terminal.bars import bars_are_shown, redirect_bars

LOGGER = logging.getLogger("vlmrm")

UsageError: Any = typer.BadParameter.__base__
"""What is wrong with options, by Click or by the copy of it that some versions of Typer have."""

COMMANDS = (
    # All in one
    "run",
    # Models
    "check-models",
    "copy-model",
    "fetch-model",
    "make-random-model",
    "make-ensemble",
    "make-function-model",
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
    "score-frames",
    "measure-members",
    "score-ensemble",
    # Measurements
    "measure-epic",
    "measure-agreement",
    "measure-diagnosis",
    "measure-checkpoints",
    "search-poses",
    "check-lookup",
    # Agents
    "train-policy",
    "evaluate-policy",
    "evaluate-random-policy",
    "record-video",
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
    "draw-diagnosis",
    "draw-optimization",
    "draw-search",
    "draw-search-gallery",
    "draw-gallery",
    "draw-prediction",
    "draw-learning-curves",
    "draw-success",
    "draw-success-by-size",
    "draw-filmstrip",
    "check-claims",
    "make-page",
    # By hand
    "score",
    "diagnose",
    "explore",
    "label",
    "summarize",
    "plan",
    "doctor",
)
"""Every command; after the first, in the order of the workflow."""


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
    add_completion=False,
    pretty_exceptions_enable=False,
)


class LogFile(logging.FileHandler):
    """A log file whose disk may be full: then its errors are on the terminal."""

    def handleError(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING and bars_are_shown():
            print(f"vlmrm: {record.getMessage()}", file=sys.stderr)


class Terminal(logging.Handler):
    """Prints warnings where no workflow shows the log; `main` prints errors."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING and not bars_are_shown():
            print(f"vlmrm: {printable(record.getMessage())}", file=sys.stderr)


LOGGER.addHandler(Terminal())


@app.callback()
def options(
    log: Annotated[
        Path | None, typer.Option(help="Also write messages, warnings, and errors to this file.")
    ] = None,
) -> None:
    """Options before the command."""
    hide_gpus()
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        redirect_bars(log)
        handler = LogFile(log, mode="w", errors="backslashreplace")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logging.getLogger().addHandler(handler)
        logging.captureWarnings(True)
        # The file also gets messages of level INFO, which the terminal does not show.
        LOGGER.setLevel(logging.INFO)
        LOGGER.info("vlmrm %s", " ".join(sys.argv[1:]))


def main() -> NoReturn:
    """Runs the command line; errors of the user are printed in one line, with exit status 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # file names that are not UTF-8
    # Imports make a million objects and no garbage; this spares a tenth of their time.
    gc.set_threshold(100_000, 20, 20)
    os.environ["MPLBACKEND"] = "agg"  # a notebook's backend may not be installed here
    try:
        with explain_opengl():
            status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except UserError as error:
        message, notes = str(error), getattr(error, "__notes__", [])
        for line in "\n".join(notes).splitlines():
            LOGGER.info("%s", line)  # which a workflow does not show when it says why a job failed
        _refuse(f"{message}; traceback: `vlmrm --log FILE ...`" if notes else message)
    except UsageError as error:
        _refuse(_describe(error))
    except Exception as error:
        if reason := lacking(error):
            _refuse(reason)
        if isinstance(error, OSError) and error.filename is not None:
            _refuse(shorten(f"{error.filename2 or error.filename}: {error.strerror}"))
        LOGGER.exception("A bug in vlmrm or in a library, not in your input")
        raise
    sys.exit(status)


def _refuse(message: str) -> NoReturn:
    LOGGER.error(message)
    if not bars_are_shown():  # by a workflow, which shows the log too
        for line in message.split("\n"):
            print(f"vlmrm: {printable(line)}", file=sys.stderr)
    sys.exit(2)


def _describe(error: Any) -> str:
    """A wrong option in one line that names it, and the command whose help describes it."""
    message = shorten(" ".join(error.format_message().split()).rstrip("."))
    command = error.ctx.command_path if error.ctx else "vlmrm"
    message = re.sub(r"^Invalid value for '([^']*)'", r"\1", message)
    return f"{message}; see `{command} --help`"
