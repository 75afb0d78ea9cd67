"""Jobs times rates: hours, stage by stage.

Times are added up as if nothing overlapped, so that what is told is rather too long: in a training,
frames are drawn while others are scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vlmrm.config import Config
from vlmrm.models.hub import readable
from vlmrm.plan.jobs import Job
from vlmrm.plan.machine import Machine
from vlmrm.plan.sizes import STAND_IN, is_unknown, towers_of
from vlmrm.plan.work import Amount, Kind, work_of

if TYPE_CHECKING:
    from vlmrm.models.model_size import Towers

STAGES = {
    "models": ("fetch_model", "make_corpus", "pretrain_model", "make_random_model"),
    "states": ("make_states", "make_rollout_states"),
    "frames": ("render_frames",),
    "embeddings": ("embed_frames", "embed_prompts"),
    "measurements": ("score_states", "measure_epic", "measure_lookup", "measure_agreement"),
    "training": ("train_policy",),
    "evaluation": ("evaluate_policy", "evaluate_random_policy"),
    "figures": (),
}
"""Rules of each stage, in the order in which they begin; the last has all others."""

ON_GPU: tuple[Kind, ...] = ("images", "updates")
SPREAD: tuple[Kind, ...] = ("frames", "steps")
"""What a job that has all cores shares among them."""

LONG = 48
"""Hours above which a plan for a machine without GPU comes with a warning."""


@dataclass
class Term:
    """Equal work of several jobs: ``count`` times ``each`` seconds, by ``divisor`` at a time."""

    amount: Amount
    each: float
    told: str
    divisor: int
    on_gpu: bool
    count: float = 0.0

    @property
    def seconds(self) -> float:
        return self.count * self.each / self.divisor

    def __str__(self) -> str:
        by = f" / {self.divisor} {'GPUs' if self.on_gpu else 'cores'}" if self.divisor > 1 else ""
        what = f"{self.count:,.0f} {self.amount.kind}, {self.amount.what}"
        return f"{what}: x {self.told}{by} = {hours(self.seconds)}"


@dataclass
class Stage:
    """Some of the jobs, and what they take together.

    Attributes:
        name: Of the stage.
        rules: How many jobs of each rule.
        terms: Work by what is counted and of what.
        disk: Bytes that stay.
    """

    name: str
    rules: Counter[str] = field(default_factory=Counter)
    terms: dict[tuple[object, ...], Term] = field(default_factory=dict)
    disk: float = 0.0

    @property
    def jobs(self) -> int:
        return self.rules.total()

    @property
    def seconds(self) -> float:
        return sum(term.seconds for term in self.terms.values())

    @property
    def gpu_seconds(self) -> float:
        """Of all GPUs together."""
        return sum(term.count * term.each for term in self.terms.values() if term.on_gpu)

    @property
    def download(self) -> float:
        return sum(
            t.count * t.amount.size for t in self.terms.values() if t.amount.kind == "downloads"
        )

    def count(self, kind: Kind) -> float:
        """How many frames, images, ..."""
        return sum(t.count for t in self.terms.values() if t.amount.kind == kind)

    def add(self, job: Job, config: Config, machine: Machine, beside: int, gpus: int) -> None:
        """Counts a job in.

        Args:
            job: Of this stage.
            config: What it is carried out for.
            machine: Where.
            beside: How many run at a time of the jobs that have a core each.
            gpus: How many run at a time of those that have a GPU each.
        """
        work = work_of(job, config)
        self.rules[job.rule] += 1
        self.disk += work.disk
        for amount in work.amounts:
            # An agent that learns from a look-up has one core, and so have its networks.
            on_gpu = machine.gpu and amount.kind in ON_GPU and job.alone
            divisor = gpus if on_gpu else _divisor(amount.kind, job.alone, machine, beside)
            key = (amount.kind, amount.what, amount.size, divisor)
            if key not in self.terms:
                each, told = machine.seconds(amount)
                self.terms[key] = Term(amount, each, told, divisor, on_gpu)
            self.terms[key].count += amount.count


def _divisor(kind: Kind, alone: bool, machine: Machine, beside: int) -> int:
    """By how many a kind of work is done at a time."""
    if kind in ("images", "downloads"):
        return 1  # these rates are the whole machine's
    if not alone:
        return beside
    return int(machine.cores.value) if kind in SPREAD else 1


@dataclass(frozen=True)
class Plan:
    """What a run takes on a machine, stage by stage.

    Attributes:
        machine: Where it runs.
        stages: In the order in which they begin.
        first: How many jobs of each rule wait for no other.
        models: Sizes of the models in use.
        unknown: Those of them whose size is a stand-in's.
    """

    machine: Machine
    stages: list[Stage]
    first: Counter[str]
    models: dict[str, Towers]
    unknown: list[str]

    @property
    def jobs(self) -> Counter[str]:
        """How many jobs of each rule."""
        return sum((stage.rules for stage in self.stages), Counter())

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)

    def lines(self, explain: bool = False) -> Iterable[str]:
        """The plan as text: a table, with the arithmetic of every line if wished."""
        machine = self.machine
        yield f"On {machine.title}:"
        yield _row("stage", "jobs", "frames", "images", "time", "on GPU", "disk", "download")
        total = Stage("total")
        for stage in self.stages:
            yield _stage_row(stage, machine.gpu)
            if explain:
                terms = sorted(stage.terms.values(), key=lambda term: -term.seconds)
                yield from (f"    {term}" for term in terms)
            total.rules += stage.rules
            total.disk += stage.disk
            for key, term in stage.terms.items():
                total.terms[(stage.name, *key)] = term
        yield _stage_row(total, machine.gpu)
        if explain:
            yield from self._models()
            yield from self._rates()
        first = [f"{count} {rule}" for rule, count in self.first.items()]
        yield f"First, since they wait for nothing: {', '.join(first)}."
        for name in self.unknown:
            yield f"models.{name}: of unknown size, counted as {STAND_IN} until it is fetched"
        if self.warning:
            yield self.warning

    @property
    def warning(self) -> str | None:
        """In one line, that this is no work for a machine without GPU."""
        if self.machine.gpu or self.seconds < LONG * 3600:
            return None
        return (
            f"Warning: about {hours(self.seconds)} on this CPU; a GPU is what it wants. "
            "`make demo` takes an hour on two cores."
        )

    def _models(self) -> Iterable[str]:
        yield "Models:"
        for name, size in self.models.items():
            image, text = (f"{n / 1e6:,.1f}" for n in (size.image_parameters, size.text_parameters))
            flops = f"{size.image_flops / 1e9:,.4g} GFLOP for an image"
            yield f"    {name}: {image} million parameters for images, {text} for text; {flops}"

    def _rates(self) -> Iterable[str]:
        yield "Rates:"
        for name, rate in self.machine:
            for key, value in rate.items() if isinstance(rate, dict) else [("", rate)]:
                if hasattr(value, "how"):
                    yield f"    {name} {key}: {value.value:.4g} ({value.how})".replace(" :", ":")


def make_plan(jobs: Sequence[Job], config: Config, machine: Machine) -> Plan:
    """What jobs take; training has a stage for each environment."""
    stages: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=_order):
        name = _stage(job)
        if name == "training":
            name = f"training {config.tasks[job.wildcards['task']].environment}"
        stages.setdefault(name, []).append(job)
    used = {job.wildcards.get("model", job.wildcards.get("reward_source")) for job in jobs}
    models = [name for name in config.models if name in used]
    return Plan(
        machine=machine,
        stages=[_count_in(name, own, config, machine) for name, own in stages.items()],
        first=Counter(job.rule for job in sorted(jobs, key=_order) if not job.waits),
        models={name: towers_of(config, name) for name in models},
        unknown=[name for name in models if is_unknown(config, name)],
    )


def _count_in(name: str, jobs: list[Job], config: Config, machine: Machine) -> Stage:
    stage = Stage(name)
    beside = min(int(machine.cores.value), sum(not job.alone for job in jobs))
    gpus = min(machine.gpus, sum(job.alone for job in jobs))
    for job in jobs:
        stage.add(job, config, machine, beside, gpus)
    return stage


def _stage(job: Job) -> str:
    return next((name for name, rules in STAGES.items() if job.rule in rules), "figures")


def _order(job: Job) -> tuple[int, str]:
    return list(STAGES).index(_stage(job)), job.rule


def hours(seconds: float) -> str:
    """A time in a unit that suits it, for example ``3.4 hours``."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= size:
            digits = ".3g" if seconds < 1e3 * size else ",.0f"
            return f"{seconds / size:{digits}} {unit}"
    return f"{seconds:.2g} seconds" if seconds else "nothing"


def _stage_row(stage: Stage, gpu: bool) -> str:
    return _row(
        stage.name,
        f"{stage.jobs:,}",
        _count(stage.count("frames")),
        _count(stage.count("images")),
        hours(stage.seconds),
        hours(stage.gpu_seconds) if gpu else "-",
        readable(stage.disk) if stage.disk else "-",
        readable(stage.download) if stage.download else "-",
    )


def _count(number: float) -> str:
    return f"{number:,.0f}" if number else "-"


def _row(name: str, *values: str) -> str:
    widths = (5, 12, 12, 16, 12, 8, 8)
    return f"{name:<22}" + "".join(f"  {v:>{w}}" for v, w in zip(values, widths, strict=True))
