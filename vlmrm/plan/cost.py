"""What the jobs of a run take, rule by rule."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import humanize

from vlmrm.config import Config, FunctionModel, TrainingRun
from vlmrm.config.ensembles import towers
from vlmrm.data.benchmarks import read_benchmarks
from vlmrm.machine.machines import Machine
from vlmrm.plan.jobs import Job, finished_jobs, jobs_by_figure, planned_jobs
from vlmrm.plan.sizes import STAND_IN, fitting_batch, gpu_weights, known_size, model_size
from vlmrm.plan.work import Work, work_of

OVERVIEW = "overview"
"""End of the name of a figure that summarizes others."""
OTHERS = "no figure"
"""Name under which jobs are listed that no figure needs."""
LONG = 48
"""Hours above which a plan for a machine without a GPU comes with a warning."""


Done = dict[str, list[tuple[float, float]]]
"""Seconds that finished jobs took, and that they were expected to take, by row."""


@dataclass
class Row:
    """The jobs of one rule, and of one environment where they are trainings.

    Attributes:
        work: What each job does.
        seconds: Duration of all jobs, downloads included.
        measured: How many benchmark files of the same rule the time is scaled by.
    """

    work: list[Work]
    seconds: float
    measured: int = 0

    def total(self, name: str) -> float:
        """Sum over the jobs of an attribute of `Work`."""
        return sum(getattr(work, name) for work in self.work)


def make_plan(
    jobs: Iterable[Job], config: Config, machine: Machine, done: Done | None = None
) -> dict[str, Row]:
    """What jobs take, by rule. Times add up as if rules did not overlap.

    Args:
        jobs: Jobs of a dry run.
        config: Configuration of the run.
        machine: Where it runs.
        done: What earlier jobs took there; see `measured_seconds`.
    """
    done = done or {}
    by_row: dict[str, list[Work]] = {}
    for job in jobs:
        by_row.setdefault(_row_name(job, config), []).append(work_of(job, config, machine))
    rows = {}
    for name, work in by_row.items():
        at_once = max(machine.gpus, 1) if any(w.alone for w in work) else machine.cores
        seconds = sum(w.seconds(machine) for w in work) / min(at_once, len(work))
        taken, expected = zip(*done[name], strict=True) if name in done else ([1], [1])
        seconds *= sum(taken) / sum(expected)
        seconds += sum(w.download for w in work) / machine.download
        rows[name] = Row(work, seconds, len(done.get(name, ())))
    return rows


@dataclass
class FigureCost:
    """What a figure takes with all that it needs.

    Attributes:
        rows: Its jobs, by rule.
        saved: Seconds that the run is shorter without it.
    """

    rows: dict[str, Row]
    saved: float


def cost_by_figure(
    jobs: Iterable[Job], config: Config, machine: Machine, done: Done | None = None
) -> dict[str, FigureCost]:
    """What each figure, landscape, measurement, and experiment takes, without the others.

    Figures share jobs, so that all of them take less than their sum. Jobs of no figure are under
    `OTHERS`. Arguments as for `make_plan`.
    """
    jobs = list(jobs)
    needed = jobs_by_figure(jobs)
    # An overview of all measurements has fewer of them if one is left out.
    sharing = Counter(
        job.key for name, own in needed.items() if not name.endswith(OVERVIEW) for job in own
    )

    def seconds(chosen: Iterable[Job]) -> float:
        return sum_seconds(make_plan(chosen, config, machine, done))

    costs = {}
    whole = seconds(jobs)
    for name, own in needed.items():
        own_count = 0 if name.endswith(OVERVIEW) else 1
        alone = {job.key for job in own if sharing[job.key] == own_count}
        rest = (job for job in jobs if job.key not in alone)
        costs[name] = FigureCost(make_plan(own, config, machine, done), whole - seconds(rest))
    found = {job.key for own in needed.values() for job in own}
    if others := [job for job in jobs if job.key not in found]:
        rows = make_plan(others, config, machine, done)
        costs[OTHERS] = FigureCost(rows, sum_seconds(rows))
    return costs


def _row_name(job: Job, config: Config) -> str:
    if job.rule != "train_policy":
        return job.rule
    return f"{job.rule} ({config.tasks[job.wildcards['task']].environment})"


def measured_jobs(
    arguments: Sequence[str], left: Iterable[Job] | None, config: Config, machine: Machine
) -> Done:
    """What the finished jobs of a run took on this machine; nothing before the first one.

    Args:
        arguments: Snakemake's, for the whole of what is planned.
        left: The jobs of it that are left; None to ask Snakemake for them.
        config: Configuration of the run.
        machine: This machine.
    """
    folder = Path("results", config.run, "benchmarks")
    if not folder.is_dir():
        return {}
    left = planned_jobs(arguments) if left is None else left
    return measured_seconds(folder, config, machine, finished_jobs(arguments, left))


def measured_seconds(
    folder: Path, config: Config, machine: Machine, finished: Iterable[Job]
) -> Done:
    """What jobs took on this machine.

    Args:
        folder: The run's folder of benchmarks.
        config: Configuration of the run.
        machine: This machine.
        finished: Jobs whose settings are those of the configuration; see `finished_jobs`.
            Benchmarks of others, such as of a shorter training, say nothing about it.
    """
    done: Done = {}
    keys = {job.key for job in finished}
    for rule, wildcards, seconds in read_benchmarks(folder):
        job = Job(rule, wildcards)
        if job.key in keys:
            if job.rule == "train_policy":
                seconds = max(seconds, _training_seconds(folder.parent, job))
            expected = work_of(job, config, machine).seconds(machine)
            done.setdefault(_row_name(job, config), []).append((seconds, expected))
    return done


def _training_seconds(results: Path, job: Job) -> float:
    """Duration of a training by its learning curve, which goes on after an interruption.

    The benchmark is of the last part alone.
    """
    folder = TrainingRun.model_validate(job.wildcards).folder
    curve = results / "policies" / folder / "learning_curve.csv"
    if not curve.is_file():
        return 0
    with curve.open(newline="") as file:
        return max((float(row["wall_seconds"]) for row in csv.DictReader(file)), default=0)


def total_row(rows: dict[str, Row]) -> Row:
    """All rules together, one after the other."""
    return Row([work for row in rows.values() for work in row.work], sum_seconds(rows))


def sum_seconds(rows: dict[str, Row]) -> float:
    """Duration of all rules, one after the other."""
    return sum(row.seconds for row in rows.values())


def used_models(jobs: Iterable[Job], config: Config) -> list[str]:
    """The models of jobs, and members of their ensembles, in the order of the configuration."""
    keys = ("model", "reward_source")
    named = {job.wildcards[key] for job in jobs for key in keys if key in job.wildcards}
    used = {tower for name in named for tower in towers(config, name)}
    return [name for name in config.models if name in used]


def hours(seconds: float) -> str:
    """For example ``1,234`` or ``0.012``."""
    number = seconds / 3600
    return humanize.intcomma(round(number)) if number >= 99.5 else f"{number:.2g}"


def warnings(
    rows: dict[str, Row], models: Iterable[str], config: Config, machine: Machine
) -> Iterable[str]:
    """What is uncertain about a plan with these models, or speaks against it, a line each."""
    models = list(models)
    if config.environments:
        names = ", ".join(config.environments)
        yield f"environments: times of {names} are guesses until jobs of this run have finished"
    for name in models:
        if known_size(config, name) is None:
            until = "" if isinstance(config.models[name], FunctionModel) else " until it is fetched"
            yield f"models.{name}: of unknown size, counted as {STAND_IN}{until}"
    if machine.gpu_memory is not None:
        for name in models:
            size = model_size(config, name)
            if not fitting_batch(size, machine.gpu_memory, config.precision):
                weights = humanize.naturalsize(gpu_weights(size, config.precision))
                yield (
                    f"Warning: models.{name}: its weights ({weights}) leave too little of the "
                    "GPU's memory for images"
                )
    if not machine.gpus and sum_seconds(rows) > LONG * 3600:
        yield (
            f"Warning: about {hours(sum_seconds(rows))} hours on this CPU; this run needs a GPU. "
            "`make demo` takes 20 minutes on two cores."
        )
