"""``vlmrm plan``: how long a run takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import typer
from humanize import intcomma, naturalsize
from rich.table import Table

from vlmrm.checks.models import scene_warnings
from vlmrm.checks.start import find_problems
from vlmrm.cli.options import ConfigFile
from vlmrm.cli.output import print_table
from vlmrm.config import Config, load_config
from vlmrm.errors import UserError
from vlmrm.machine.machines import MACHINES, Machine, load_machine, this_machine
from vlmrm.plan.cost import (
    FigureCost,
    Row,
    cost_by_figure,
    hours,
    make_plan,
    measured_jobs,
    sum_seconds,
    total_row,
    used_models,
    warnings,
)
from vlmrm.plan.jobs import planned_jobs
from vlmrm.plan.sizes import fitting_batch, gpu_weights, model_size
from vlmrm.workflow import SNAKEFILE


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
    by: Annotated[
        Literal["rule", "figure"], typer.Option(help="What to list: rules or figures.")
    ] = "rule",
) -> None:
    """Estimate what is left to do of a run: jobs, hours, disk space, downloads."""
    if gpus > 1 and machine is None:
        raise UserError("--gpus: belongs to --machine; the GPUs of this machine are counted")
    settings = load_config(config)
    target = this_machine() if machine is None else load_machine(machine, gpus)
    try:
        options = ["--snakefile", str(SNAKEFILE), "--configfile", str(config.resolve())]
        jobs = planned_jobs([*options, "--", *(targets or [])])
    except UserError as error:
        raise UserError(f"{config}: {error}") from error
    if not jobs:
        print("Nothing is left to do.")
        return
    done = None
    if machine is None:
        done = measured_jobs(options, None if targets else jobs, settings, target)
    rows = make_plan(jobs, settings, target, done)
    if by == "rule":
        print_table(plan_table(rows, target))
    else:
        print_table(figure_table(cost_by_figure(jobs, settings, target, done), target))
    models = used_models(jobs, settings)
    # For this machine's own GPUs, the memory is not known.
    if machine is not None and target.gpu_memory is not None:
        print_table(batch_table(models, settings, target.gpu_memory))
    for line in warnings(rows, models, settings, target):
        print(line)
    for line in scene_warnings(jobs, settings):
        print(f"Warning: {line}")
    if machine is None:
        for line in (find_problems(jobs, settings) or "").splitlines():
            print(f"Warning: a run here would not start: {line}")


def plan_table(rows: dict[str, Row], machine: Machine) -> Table:
    """A plan as a table: the longest rule first, and a total."""
    table = Table(title=f"On {machine.title}", title_justify="left", box=None, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    for name in ("jobs", "frames", "images", "hours", "GPU hours", "disk", "download", "times"):
        table.add_column(name, justify="right", no_wrap=True)
    longest_first = sorted(rows.items(), key=lambda item: -item[1].seconds)
    for name, row in [*longest_first, ("total", total_row(rows))]:
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


def figure_table(costs: dict[str, FigureCost], machine: Machine) -> Table:
    """What each figure takes: the most expensive first."""
    table = Table(title=f"On {machine.title}", title_justify="left", box=None, pad_edge=False)
    table.add_column("figure, or group of figures", no_wrap=True)
    for name in ("jobs", "hours", "GPU hours", "download", "hours saved without it"):
        table.add_column(name, justify="right", no_wrap=True)
    by_cost = sorted(costs.items(), key=lambda item: -sum_seconds(item[1].rows))
    for name, cost in by_cost:
        total = total_row(cost.rows)
        table.add_row(
            name,
            intcomma(len(total.work)),
            hours(total.seconds),
            _or_dash(total.total("accelerated") if machine.gpus else 0, hours),
            _or_dash(total.total("download"), naturalsize),
            hours(cost.saved),
        )
    return table


def batch_table(models: Iterable[str], config: Config, memory: float) -> Table:
    """How many images of each model a GPU holds at a time."""
    table = Table("model", box=None, pad_edge=False)
    table.add_column("weights", justify="right")
    table.add_column("images at a time", justify="right")
    for name in models:
        size = model_size(config, name)
        weights = naturalsize(gpu_weights(size, config.precision))
        table.add_row(name, weights, intcomma(fitting_batch(size, memory, config.precision)))
    return table


def _or_dash(number: float, text: Callable[[float], str]) -> str:
    return text(round(number)) if number else "-"
