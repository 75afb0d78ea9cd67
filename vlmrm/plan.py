"""What is left to do of a run: jobs, hours, disk and download, rule by rule.

The jobs are those of Snakemake's dry run. Their times are counts (frames, images, steps, updates)
times the rates below, or what Snakemake's benchmark files say of the same rule in the same run.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import humanize
from pydantic import Field, ValidationError
from rich.table import Table

from vlmrm.config import REFERENCES, Config, PretrainedModel, SimulatorModel, read_yaml
from vlmrm.config.architectures import sim_architectures
from vlmrm.config.base import ConfigModel, PositiveInt
from vlmrm.config.training import SAC, OffPolicyAgent
from vlmrm.errors import UserError, suggest
from vlmrm.machine.gpus import visible_gpus
from vlmrm.models.folder import CONFIG_FILE

# Seconds of one core of an x86-64 server with AVX-512, all measured (Mesa's llvmpipe renders).
FRAME = {"humanoid": 1.05e-3, "filament": 0.01, "cartpole": 3.2e-3, "mountain-car": 2.1e-3}
MEGAPIXEL = {"humanoid": 0.0373, "filament": 1.34}  # in addition, where the size can be set
STEP = {"humanoid": 1.1e-3, "cartpole": 1.9e-4, "mountain-car": 3.6e-4}  # the action included
UPDATE = {"humanoid": 0.0388, "cartpole": 2.7e-3, "mountain-car": 7.6e-3}
STATE = {"humanoid": 2.2e-3, "cartpole": 1e-6, "mountain-car": 1e-6}
RESAMPLE = 1.05e-7  # per state, in the bootstrap of EPIC
START = 5.0  # importing PyTorch and open_clip

# Bytes on disk, measured on the demo and on state sets of the offline models.
COMPRESSED = {"humanoid": 0.072, "cartpole": 0.001, "mountain-car": 0.044}  # per byte of a frame
CORPUS_COMPRESSED = 0.12
VIDEO_FRAME = 1000
FLOAT = 4

TRAINED_ON = 0.9  # share of a corpus that is not held out
BACKWARD = 3  # forward and backward pass over the forward pass (Kaplan et al., 2020)
ROLLOUT_KEEPS = 5  # one state in five of a rollout is kept
OBSERVED = {"cartpole": (4, 2), "mountain-car": (2, 1), "humanoid": (348, 17)}  # and actions

SIZES = Path(__file__).parent / "models" / "model_size.json"
MODELS = Path("resources/models")
STAND_IN = "ViT-B-32"
"""What a published model counts as while its size is unknown: hardly one is smaller."""
LONG = 48
"""Hours above which a plan for a machine without a GPU comes with a warning."""


class Machine(ConfigModel):
    """What a machine does in a second."""

    title: str
    cores: PositiveInt
    gpus: Annotated[int, Field(ge=0)] = 0
    """Each job that can use a GPU takes one. The rates below are those of one GPU, or of all
    cores where there is none."""
    flops: Annotated[float, Field(gt=0)]
    """Floating-point operations per second in image towers of published size."""
    small_flops: Annotated[float, Field(gt=0)]
    """The same in the small towers of the offline models."""
    update: Annotated[float, Field(gt=0)]
    """Seconds of a gradient step of a humanoid agent."""
    download: Annotated[float, Field(gt=0)] = 12.5e6
    """Bytes per second from the hub."""


def _cpu(title: str, cores: int) -> Machine:
    # A core: 3 GHz x 32 float32 operations (AVX2) x utilization 0.6, computed; 265 images of sim-S
    # per second x 42 MFLOP, measured. A second core halves the updates, chosen.
    return Machine(
        title=title,
        cores=cores,
        flops=5.75e10 * cores,
        small_flops=1.1125e10 * cores,
        update=UPDATE["humanoid"] / min(cores, 2),
    )


def _gpu(name: str, peak: float) -> Machine:
    # bfloat16 of the data sheet x utilization 0.6; small networks are bound by kernel launches.
    return Machine(
        title=f"one NVIDIA {name} beside 16 cores (the GPU's rates are stated, not measured)",
        cores=16,
        gpus=1,
        flops=0.6 * peak,
        small_flops=1e12,
        update=6e-3,
        download=125e6,
    )


MACHINES = {
    "laptop": _cpu("a laptop with 8 cores and no GPU (stated, not measured)", 8),
    "a100": _gpu("A100", 312e12),
    "h200": _gpu("H200", 989e12),
}


def load_machine(name: str, gpus: int = 1) -> Machine:
    """A known machine, or the one that a YAML file describes, with several of its GPU.

    Raises:
        UserError: The machine is unknown, the file is wrong, or the machine has no GPU.
    """
    if name in MACHINES:
        machine = MACHINES[name]
    elif name.endswith((".yaml", ".yml")):
        try:
            machine = Machine.model_validate(read_yaml(name))
        except ValidationError as error:
            problem = error.errors()[0]
            key = ".".join(map(str, problem["loc"]))
            raise UserError(f"{name}: {key}: {problem['msg']}") from error
    else:
        raise UserError(f"--machine: unknown name '{name}'{suggest(name, MACHINES)}")
    if gpus == 1:
        return machine
    if not machine.gpus:
        raise UserError(f"--gpus: '{name}' has none; name another --machine")
    title, cores = f"{gpus} x {machine.title}", gpus * machine.cores
    return machine.model_copy(update={"title": title, "gpus": gpus, "cores": cores})


def this_machine() -> Machine:
    """Counts the cores and GPUs of this machine; its rates are the stated ones."""
    cores, gpus = len(os.sched_getaffinity(0)), len(visible_gpus())
    if not gpus:
        return _cpu(f"this machine ({cores} cores, no GPU)", cores)
    title = f"this machine ({cores} cores, {gpus} GPUs, each counted as an A100)"
    return MACHINES["a100"].model_copy(update={"title": title, "cores": cores, "gpus": gpus})


class Job(NamedTuple):
    """A job of the workflow: its rule, its wildcards, and the first of its outputs."""

    rule: str
    wildcards: dict[str, str]
    output: str = ""


def planned_jobs(arguments: Sequence[str], folder: Path | None = None) -> list[Job]:
    """The jobs of a dry run of Snakemake in a folder, by default this one.

    Raises:
        UserError: There is no workflow in the folder, or Snakemake refuses.
    """
    folder = folder or Path.cwd()
    if not (folder / "Snakefile").is_file():
        raise UserError(f"{folder}: no Snakefile here; run this in the folder of the project")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--nolock", *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if run.returncode:
        lines = [line.strip() for line in (run.stderr + run.stdout).splitlines() if line.strip()]
        own = [line.partition("vlmrm: ")[2] for line in lines if "vlmrm: " in line]
        raise UserError((own or lines[-1:] or ["Snakemake failed without a message"])[0])
    return parse_dry_run(run.stdout)


def parse_dry_run(text: str) -> list[Job]:
    """The jobs that a dry run announces, without ``all``."""
    jobs = []
    for block in re.split(r"^(?:local)?rule ", text, flags=re.MULTILINE)[1:]:
        rule, _, rest = block.partition(":\n")
        indented = re.match(r"(?:[ \t]+.*\n)*", rest)
        about = dict(re.findall(r"^ +(\w+): (.*)$", indented[0] if indented else "", re.MULTILINE))
        wildcards = dict(re.findall(r"(\w+)=([^,]*)", about.get("wildcards", "")))
        output = re.sub(r" \(\w+\)$", "", about.get("output", "").split(", ")[0])
        if rule != "all":
            jobs.append(Job(rule, wildcards, output))
    return jobs


class Size(NamedTuple):
    """Of a model: operations for an image, parameters, and the length of embeddings."""

    image_flops: int
    parameters: int
    embedding: int


@functools.cache
def size_of(architecture: str) -> Size:
    """From the table; an architecture that is not in it is built, which loads PyTorch.

    Raises:
        UserError: The architecture is unknown.
    """
    known = json.loads(SIZES.read_text())
    if architecture in known:
        return Size(**known[architecture])
    from vlmrm.models.model_size import measure_size

    size = measure_size(architecture)
    return Size(size.image_flops, size.parameters, size.embedding)


def model_size(config: Config, name: str) -> Size:
    """Size of a model; that of `STAND_IN` where it is unknown."""
    return _described_size(config, name) or size_of(config.models[name].architecture or STAND_IN)


def is_unknown(config: Config, name: str) -> bool:
    """Whether nothing here tells a model's size."""
    return config.models[name].architecture is None and _described_size(config, name) is None


def _described_size(config: Config, name: str) -> Size | None:
    """By the folder of a model that names no architecture."""
    settings = config.models[name]
    if settings.architecture is not None:
        return None
    assert isinstance(settings, PretrainedModel)
    folders = [Path(settings.path)] if settings.path is not None else []
    for folder in (*folders, MODELS / name):
        if (folder / CONFIG_FILE).is_file():
            try:
                return size_of(f"local-dir:{folder.resolve()}")
            except Exception:  # whatever a malformed or foreign file makes open_clip raise
                return None
    return None


@dataclass
class Work:
    """What a job does, and what it leaves.

    Attributes:
        frames: Rendered.
        images: Embedded.
        serial: Seconds of one core.
        shared: Seconds of one core that the cores of the job share.
        accelerated: Seconds of the GPU, or of all cores where there is none.
        download: Bytes.
        disk: Bytes that stay; small files are left out.
    """

    frames: float = 0
    images: float = 0
    serial: float = START
    shared: float = 0
    accelerated: float = 0
    download: float = 0
    disk: float = 0

    @property
    def alone(self) -> bool:
        """Whether the job takes all cores, or those beside a GPU; others take one."""
        return self.shared + self.accelerated > 0

    def seconds(self, machine: Machine) -> float:
        """Of the job, without its download."""
        cores = machine.cores / max(machine.gpus, 1)
        return self.serial + self.shared / cores + self.accelerated

    def render(self, environment: str, scene: str, count: float, side: int) -> float:
        """Adds frames; returns their bytes. Only the humanoid's are of the given side."""
        pixels = side**2 if environment == "humanoid" else 400 * 600
        name = "filament" if scene == "filament" else environment
        self.frames += count
        self.shared += count * (FRAME[name] + MEGAPIXEL.get(name, 0) * pixels / 1e6)
        return 3 * pixels * count

    def embed(self, config: Config, machine: Machine, model: str, count: float) -> None:
        """Adds images that a model embeds."""
        small = config.models[model].architecture in sim_architectures()
        flops = machine.small_flops if small else machine.flops
        self.images += count
        self.accelerated += count * model_size(config, model).image_flops / flops


def work_of(job: Job, config: Config, machine: Machine) -> Work:
    """What a job of the workflow does; figures and tables count as their start alone."""
    w, work = job.wildcards, Work()
    side = config.rendering.humanoid_size
    match job.rule:
        case "fetch_model" | "make_random_model" | "train_model":
            model = config.models[w["model"]]
            work.disk = FLOAT * model_size(config, w["model"]).parameters
            if isinstance(model, PretrainedModel) and model.path is None:
                work.download = work.disk  # float32, as most are published
            if isinstance(model, SimulatorModel):
                scenes = config.corpora[model.corpus].frames.values()
                images = TRAINED_ON * sum(count for scene in scenes for count in scene.values())
                work.embed(config, machine, w["model"], round(model.epochs * images))
                work.accelerated *= BACKWARD
        case "make_corpus":
            corpus = config.corpora[w["corpus"]]
            for environment, by_scene in corpus.frames.items():
                for scene, count in by_scene.items():
                    work.render(environment, scene, count, side)
                    work.serial += count * STATE[environment]
            work.disk = CORPUS_COMPRESSED * work.frames * 3 * corpus.image_size**2
        case "sample_states":
            states = config.state_sets[w["states"]]
            work.serial += states.size * STATE[states.environment]
        case "sample_rollouts":
            states = config.state_sets[w["states"]]
            work.shared = ROLLOUT_KEEPS * states.size * STEP[states.environment]
        case "render_frames":
            states = config.state_sets[w["states"]]
            size = work.render(states.environment, w["scene"], states.size, side)
            work.disk = COMPRESSED[states.environment] * size
        case "embed_frames":
            work.embed(config, machine, w["model"], config.state_sets[w["states"]].size)
            work.disk = FLOAT * work.images * model_size(config, w["model"]).embedding
        case "measure_epic":
            epic = config.epic[w["epic"]]
            resamples = epic.bootstrap * len(config.alphas)
            work.serial += RESAMPLE * resamples * config.state_sets[epic.states].size
        case "train_policy":
            _train(work, w, config, machine)
        case "evaluate_policy" | "evaluate_random_policy":
            environment = config.tasks[w["task"]].environment
            steps = config.training[environment].agent.episode_steps
            work.shared = config.evaluation.trajectories * steps * STEP[environment]
            if job.rule == "evaluate_policy":
                frames = config.evaluation.video_trajectories * steps
                work.render(environment, w["scene"], frames, config.evaluation.video_size)
                work.disk = VIDEO_FRAME * frames
    return work


def _train(work: Work, w: dict[str, str], config: Config, machine: Machine) -> None:
    environment = config.tasks[w["task"]].environment
    training = config.training[environment]
    agent, lookup = training.agent, training.lookup
    per_round = agent.train_freq * agent.n_envs
    steps = math.ceil(agent.total_timesteps / per_round) * per_round
    saved = agent.total_timesteps // agent.save_freq
    work.shared = steps * STEP[environment]
    if w["reward_source"] not in REFERENCES and lookup is None:
        work.render(environment, w["scene"], steps, config.rendering.humanoid_size)
        work.embed(config, machine, w["reward_source"], steps)
    if config.evaluation.training_videos:
        frames = saved * agent.episode_steps
        work.render(environment, w["scene"], frames, config.evaluation.video_size)
        work.disk = VIDEO_FRAME * frames
    # The policies of every checkpoint, the last one, and copies of the best two.
    work.disk += (saved + 4) * policy_bytes(environment, agent)
    if lookup is None:
        update = machine.update if environment == "humanoid" else UPDATE[environment]
        work.accelerated += updates(agent) * update
    else:  # on one core
        work.serial += work.shared + updates(agent) * UPDATE[environment]
        work.shared = 0


def updates(agent: OffPolicyAgent) -> int:
    """Gradient steps of a whole training: those of each round that ends after the start."""
    per_round = agent.train_freq * agent.n_envs
    rounds = math.ceil(agent.total_timesteps / per_round) - agent.learning_starts // per_round
    return agent.gradient_steps * max(rounds, 0)


def policy_bytes(environment: str, agent: OffPolicyAgent) -> int:
    """Bytes of a saved agent: networks, targets, averages, and two moments of Adam."""

    def weights(*widths: int) -> int:
        return FLOAT * sum((a + 1) * b for a, b in itertools.pairwise(widths))

    observed, actions = OBSERVED[environment]
    if not isinstance(agent, SAC):
        return 4 * weights(observed, *agent.net_arch, actions)
    actor = weights(observed, *agent.net_arch, 2 * actions)
    critics = 2 * weights(observed + actions, *agent.net_arch, 1)
    return 3 * actor + 4 * critics + (actor if agent.actor_ema else 0)


@dataclass
class Row:
    """The jobs of one rule, a training's of one environment.

    Attributes:
        work: Of each job.
        seconds: Of all of them, their download included.
        measured: How many benchmark files of the same rule the time is scaled by.
    """

    work: list[Work]
    seconds: float
    measured: int = 0

    def total(self, name: str) -> float:
        """Sum over the jobs of an attribute of `Work`."""
        return sum(getattr(work, name) for work in self.work)


def make_plan(
    jobs: Iterable[Job], config: Config, machine: Machine, benchmarks: Path | None = None
) -> dict[str, Row]:
    """What jobs take, by rule. Times add up as if rules did not overlap.

    Args:
        jobs: Of a dry run.
        config: The run's.
        machine: Where it runs.
        benchmarks: Folder of the run's benchmark files, made on this machine.
    """
    by_row: dict[str, list[Work]] = {}
    for job in jobs:
        by_row.setdefault(_row_name(job, config), []).append(work_of(job, config, machine))
    rows = {}
    done = _read_benchmarks(benchmarks, config) if benchmarks else {}
    for name, work in by_row.items():
        at_once = max(machine.gpus, 1) if any(w.alone for w in work) else machine.cores
        seconds = sum(w.seconds(machine) for w in work) / min(at_once, len(work))
        if name in done:
            estimated = sum(work_of(job, config, machine).seconds(machine) for job, _ in done[name])
            seconds *= sum(taken for _, taken in done[name]) / estimated
        seconds += sum(w.download for w in work) / machine.download
        rows[name] = Row(work, seconds, len(done.get(name, ())))
    return rows


def _row_name(job: Job, config: Config) -> str:
    if job.rule != "train_policy":
        return job.rule
    return f"{job.rule} ({config.tasks[job.wildcards['task']].environment})"


def _read_benchmarks(folder: Path, config: Config) -> dict[str, list[tuple[Job, float]]]:
    """Finished jobs and their seconds, from Snakemake's extended benchmarks (JSON lines)."""
    done: dict[str, list[tuple[Job, float]]] = {}
    for file in sorted(folder.rglob("*.jsonl")):
        record = json.loads(file.read_text().splitlines()[-1])
        job = Job(record["rule_name"], record["wildcards"])
        with suppress(KeyError):  # of a model or task that the configuration no longer has
            work_of(job, config, MACHINES["laptop"])
            done.setdefault(_row_name(job, config), []).append((job, float(record["s"])))
    return done


def plan_table(rows: dict[str, Row], machine: Machine) -> Table:
    """A plan as a table, with a total."""
    table = Table(title=f"On {machine.title}", title_justify="left", box=None, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    for name in ("jobs", "frames", "images", "hours", "GPU hours", "disk", "download", "times"):
        table.add_column(name, justify="right", no_wrap=True)
    total = Row([w for row in rows.values() for w in row.work], sum_seconds(rows))
    longest_first = sorted(rows.items(), key=lambda item: -item[1].seconds)
    for name, row in [*longest_first, ("total", total)]:
        gpu = row.total("accelerated") if machine.gpus else 0
        table.add_row(
            name,
            humanize.intcomma(len(row.work)),
            _or_dash(row.total("frames"), humanize.intcomma),
            _or_dash(row.total("images"), humanize.intcomma),
            hours(row.seconds),
            _or_dash(gpu, hours),
            _or_dash(row.total("disk"), humanize.naturalsize),
            _or_dash(row.total("download"), humanize.naturalsize),
            f"from {row.measured} jobs" if row.measured else "",
        )
    return table


def _or_dash(number: float, text: Callable[[float], str]) -> str:
    return text(round(number)) if number else "-"


def sum_seconds(rows: dict[str, Row]) -> float:
    """Of all rules, one after the other."""
    return sum(row.seconds for row in rows.values())


def hours(seconds: float) -> str:
    """For example ``1,234`` or ``0.012``."""
    number = seconds / 3600
    return humanize.intcomma(round(number)) if number >= 100 else f"{number:.2g}"


def warnings(rows: dict[str, Row], config: Config, machine: Machine) -> Iterable[str]:
    """What a plan leaves open, a line each."""
    for name in config.models:
        if is_unknown(config, name):
            yield f"models.{name}: of unknown size, counted as {STAND_IN} until it is fetched"
    if not machine.gpus and sum_seconds(rows) > LONG * 3600:
        yield (
            f"Warning: about {hours(sum_seconds(rows))} hours on this CPU; this run needs a GPU. "
            "`make demo` takes an hour on two cores."
        )
