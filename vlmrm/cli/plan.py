"""``vlmrm plan``: what a run would take."""

from __future__ import annotations

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
        str | None, typer.Option(help="A machine of the table: laptop, a100 or h200.")
    ] = None,
    gpus: Annotated[
        int, typer.Option(min=1, help="With --machine: so many of its GPU, and cores for each.")
    ] = 1,
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
    if gpus > 1 and machine is None:
        raise UserError("--gpus: belongs to --machine; those of this machine are counted")
    settings = load_config(config)
    from vlmrm.plan.machine import load_machine

    profile = None if machine is None else load_machine(machine, gpus)
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
    if machine is None:
        from vlmrm.plan.preflight import refusal

        for reason in (refusal(jobs, settings) or "").splitlines():
            print(f"Warning: a run here would not start: {reason}")
