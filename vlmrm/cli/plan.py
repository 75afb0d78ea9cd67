"""``vlmrm plan``: how long a run takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile
from vlmrm.config import load_config
from vlmrm.errors import UserError


def plan(
    config: ConfigFile,
    targets: Annotated[
        list[str] | None, typer.Argument(help="Files to make; default: everything.")
    ] = None,
    machine: Annotated[
        str | None, typer.Option(help="laptop, a100, h200, or a YAML file; default: this machine.")
    ] = None,
    gpus: Annotated[
        int, typer.Option(min=1, help="With --machine: how many of its GPU, each with its cores.")
    ] = 1,
) -> None:
    """Show what is left to do of a run: jobs, hours, disk and download, rule by rule."""
    if gpus > 1 and machine is None:
        raise UserError("--gpus: belongs to --machine; the GPUs of this machine are counted")
    from rich.console import Console

    from vlmrm.machine.checks import find_problems
    from vlmrm.plan import (
        load_machine,
        make_plan,
        plan_table,
        planned_jobs,
        this_machine,
        warnings,
    )

    settings = load_config(config)
    where = this_machine() if machine is None else load_machine(machine, gpus)
    try:
        jobs = planned_jobs(["--configfile", str(config.resolve()), "--", *(targets or [])])
    except UserError as error:
        raise UserError(f"{config}: {error}") from error
    if not jobs:
        print("Nothing is left to do.")
        return
    benchmarks = Path("results", settings.run, "benchmarks") if machine is None else None
    rows = make_plan(jobs, settings, where, benchmarks)
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(plan_table(rows, where))
    for line in warnings(rows, settings, where):
        print(line)
    if machine is None:
        for line in (find_problems(jobs, settings) or "").splitlines():
            print(f"Warning: a run here would not start: {line}")
