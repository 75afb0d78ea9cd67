"""Labels by hand, and how far people agree."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlmrm.cli.options import ConfigFile, Output, StatesFile, pick
from vlmrm.config import SCENES, Task, load_config
from vlmrm.errors import UserError

if TYPE_CHECKING:
    from vlmrm.data.states import States

LOGGER = logging.getLogger("vlmrm")

TaskName = Annotated[str, typer.Option("--task", help="Name of a task of the configuration.")]


def register(app: typer.Typer) -> None:
    for command in (label, agreement):
        app.command()(command)


def label(
    states: Annotated[Path, typer.Argument(help="States to label (HDF5).")],
    config: ConfigFile,
    task: TaskName,
    rater: Annotated[str, typer.Option(help="Who labels.")],
    output: Annotated[Path, typer.Option(help="Labels (CSV), new or to be continued.")],
    scene: Annotated[
        str | None, typer.Option(help="Scene of the pictures; default: the environment's first.")
    ] = None,
    size: Annotated[
        int, typer.Option(min=32, max=1024, help="Side of the humanoid's pictures in pixels.")
    ] = 480,
    sample: Annotated[
        int | None, typer.Option(min=1, help="How many states to show; default: all.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the states' order; the same for all raters.")
    ] = 0,
    host: Annotated[str, typer.Option(help="Address to serve at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to serve at; 0: any free one.")
    ] = 8000,
) -> None:
    """Serve a page on which a person labels states by their pictures."""
    settings = load_config(config)
    meant = pick(settings.tasks, "tasks", task)
    from vlmrm.labeling.server import address, is_private, listen, serve

    with listen(host, port) as listener:
        from vlmrm.data.states import States
        from vlmrm.labeling.page import create_app
        from vlmrm.labeling.pictures import Pictures
        from vlmrm.labeling.session import Session

        what = States.read(states)
        _check_environment(task, meant, what, states)
        session = Session(what, task, meant.goals, rater, output, sample, seed)
        if scene is None:
            scene, *_ = SCENES[what.environment]
        rendering = settings.rendering.model_copy(update={"humanoid_size": size})
        pictures = Pictures(what.environment, scene, rendering, what.values)
        if not is_private(listener):
            warning = f"--host: anyone who reaches {host} over the network can label"
            LOGGER.warning(warning)
            print(f"vlmrm: {warning}", file=sys.stderr)
        where = address(listener)
        # A shell that starts a command in the background lets it ignore Ctrl+C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            serve(
                create_app(session, pictures.png),
                listener,
                lambda: print(f"Label at {where} and end with Ctrl+C", flush=True),
            )
        finally:
            pictures.close()


def agreement(
    labels: Annotated[list[Path], typer.Argument(help="Labels of people (CSV).")],
    states: StatesFile,
    config: ConfigFile,
    task: TaskName,
    output: Output,
    bootstrap: Annotated[int, typer.Option(min=1, help="Resamples behind each interval.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resampling.")] = 0,
) -> None:
    """Measure how far raters agree with each other and with the oracle (Cohen's kappa)."""
    meant = pick(load_config(config).tasks, "tasks", task)
    from vlmrm.data.states import States
    from vlmrm.data.tables import write_table
    from vlmrm.epic.measure import oracle_labels
    from vlmrm.labeling.agreement import agreement_table
    from vlmrm.labeling.labels import read_answers

    what = States.read(states)
    _check_environment(task, meant, what, states)
    answers = read_answers(labels, task, what)
    if not answers:
        raise UserError(f"{labels[0]}: no labels of task '{task}'; add some with `vlmrm label`")
    judged = None if meant.oracle is None else oracle_labels(what, task, meant)
    if judged is None and len(answers) < 2:
        raise UserError(f"tasks.{task}.oracle: missing, and one rater has nobody to agree with")
    clusters = what.columns.get("trajectory")
    table = agreement_table(answers, judged, clusters, bootstrap, seed)
    table.insert(0, "task", task)
    write_table(output, table)


def _check_environment(name: str, task: Task, states: States, path: Path) -> None:
    if states.environment != task.environment:
        raise UserError(
            f"{path}: holds {states.environment} states, but '{name}' is a {task.environment} task"
        )
