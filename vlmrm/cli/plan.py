"""``vlmrm plan``: how long a run takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from humanize import intcomma, naturalsize
from rich.console import Console
from rich.table import Table

from vlmrm.cli.options import ConfigFile
from vlmrm.config import load_config
from vlmrm.errors import UserError
from vlmrm.machine.checks import find_problems
from vlmrm.machine.machines import MACHINES, Machine, load_machine, this_machine
from vlmrm.plan import Row, hours, make_plan, planned_jobs, sum_seconds, warnings


def plan(
    config: ConfigFile,
    targets: Annotated[
        list[str] | None, typer.Argument(help="Files to make; default: everything.")
    ] = None,
    machine: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(MACHINES)}, or a YAML file; default: this machine."),
    ] = None,
    gpus: Annotated[
        int, typer.Option(min=1, help="With --machine: how many of its GPU, each with its cores.")
    ] = 1,
) -> None:
    """Show what is left to do of a run: jobs, hours, disk and download, rule by rule."""
    if gpus > 1 and machine is None:
        raise UserError("--gpus: belongs to --machine; the GPUs of this machine are counted")
    settings = load_config(config)
    target = this_machine() if machine is None else load_machine(machine, gpus)
    try:
        jobs = planned_jobs(["--configfile", str(config.resolve()), "--", *(targets or [])])
    except UserError as error:
        raise UserError(f"{config}: {error}") from error
    if not jobs:
        print("Nothing is left to do.")
        return
    benchmarks = Path("results", settings.run, "benchmarks") if machine is None else None
    rows = make_plan(jobs, settings, target, benchmarks)
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(plan_table(rows, target))
    for line in warnings(rows, settings, target):
        print(line)
    if machine is None:
        for line in (find_problems(jobs, settings) or "").splitlines():
            print(f"Warning: a run here would not start: {line}")


def plan_table(rows: dict[str, Row], machine: Machine) -> Table:
    """A plan as a table: the longest rule first, and a total."""
    table = Table(title=f"On {machine.title}", title_justify="left", box=None, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    for name in ("jobs", "frames", "images", "hours", "GPU hours", "disk", "download", "times"):
        table.add_column(name, justify="right", no_wrap=True)
    total = Row([work for row in rows.values() for work in row.work], sum_seconds(rows))
    longest_first = sorted(rows.items(), key=lambda item: -item[1].seconds)
    for name, row in [*longest_first, ("total", total)]:
        table.add_row(
            name,
            intcomma(len(row.work)),
            _or_dash(row.total("frames"), intcomma),
            _or_dash(row.total("images"), intcomma),
            hours(row.seconds),
            _or_dash(row.total("accelerated") if machine.gpus else 0, hours),
            _or_dash(row.total("disk"), naturalsize),
            _or_dash(row.total("download"), naturalsize),
            f"from {row.measured} jobs" if row.measured else "",
        )
    return table


def _or_dash(number: float, text: Callable[[float], str]) -> str:
    return text(round(number)) if number else "-"
