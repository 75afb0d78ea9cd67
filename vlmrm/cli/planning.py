"""``vlmrm plan``: what a run would take."""

from __future__ import annotations

from typing import Annotated

import typer

from vlmrm.cli.options import ConfigFile
from vlmrm.config import load_config
from vlmrm.errors import UserError


def register(app: typer.Typer) -> None:
    app.command()(plan)


def plan(
    config: ConfigFile,
    targets: Annotated[
        list[str] | None, typer.Argument(help="Files to make; default: everything.")
    ] = None,
    machine: Annotated[
        str | None, typer.Option(help="A machine of the table: laptop, a100 or h200.")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure this machine; default without --machine.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the arithmetic of every line.")
    ] = False,
) -> None:
    """Tell what is left to do of a run: jobs, hours, disk and download, stage by stage."""
    if measure and machine is not None:
        raise UserError("--measure: stands beside --machine; keep one of them")
    settings = load_config(config)
    from vlmrm.plan.machine import load_machine

    profile = None if machine is None else load_machine(machine)
    from vlmrm.plan.jobs import planned_jobs

    jobs = planned_jobs(config, targets or [])
    if not jobs:
        print("Nothing is left to do.")
        return
    from vlmrm.plan.estimate import make_plan

    if profile is None:
        from vlmrm.plan.measure import measure_machine

        profile = measure_machine(settings)
    for line in make_plan(jobs, settings, profile).lines(explain):
        print(line)
