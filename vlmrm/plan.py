"""What is left to do of a run: jobs, hours, disk and download, rule by rule.

The jobs are those of Snakemake's dry run. Their times are counts (frames, images, steps, updates)
times the rates below, or what Snakemake's benchmark files say of the same rule in the same run.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import humanize

from vlmrm.config import REFERENCES, Config, PretrainedModel, Rendering, SimulatorModel, TrainingRun
from vlmrm.config.architectures import sim_architectures
from vlmrm.config.settings import VideoSettings
from vlmrm.config.training import DQN, Algorithm, OffPolicyAgent
from vlmrm.errors import UserError
from vlmrm.machine.machines import Machine
from vlmrm.models.folder import CONFIG_FILE

# Seconds of one core of an x86-64 server with AVX-512, measured (Mesa's llvmpipe renders).
FRAME = {"humanoid": 1.05e-3, "filament": 0.01, "cartpole": 3.2e-3, "mountain-car": 2.1e-3}
MEGAPIXEL = {"humanoid": 0.0373, "filament": 1.34}  # in addition, where the size can be set
SHADOWS = 3  # times as long; the scene filament always has them
STEP = {"humanoid": 1.1e-3, "cartpole": 1.9e-4, "mountain-car": 3.6e-4}  # including the action
UPDATE = {"humanoid": 0.0388, "cartpole": 2.7e-3, "mountain-car": 7.6e-3}
STATE = {"humanoid": 2.2e-3, "cartpole": 1e-6, "mountain-car": 1e-6}
START = 2.5  # importing NumPy and pandas
START_TORCH = 11.0  # importing PyTorch, and open_clip or Stable-Baselines3

# Bytes on disk, measured.
COMPRESSED = {"humanoid": 0.072, "cartpole": 0.001, "mountain-car": 0.044}  # per byte of a frame
CORPUS_COMPRESSED = 0.12
VIDEO_FRAME = 1000
FLOAT = 4
HALF = 2

TRAINED_ON = 0.9  # share of a corpus that is not held out
BACKWARD = 3  # forward and backward pass over the forward pass (Kaplan et al., 2020)
ROLLOUT_KEEPS = 5  # one state in five of a rollout is kept
OBSERVED = {"cartpole": (4, 2), "mountain-car": (2, 1), "humanoid": (348, 17)}  # and actions

LIGHT = ("sample_states", "render_", "score_", "measure_", "check_", "draw_")
"""Prefixes of the rules whose commands do not import PyTorch."""
SIZES = Path(__file__).parent / "models" / "model_size.json"
MODELS = Path("resources/models")
STAND_IN = "ViT-B-32"
"""Architecture that a model of unknown size counts as: hardly a published one is smaller."""
GPU_SHARE = 0.8
"""Share of a GPU's memory that a model's weights may take."""
LONG = 48
"""Hours above which a plan for a machine without a GPU comes with a warning."""


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
    """The jobs that a dry run prints, without ``all``."""
    jobs = []
    for rule, block in re.findall(r"^(?:local)?rule (\w+):\n((?: +.*\n)*)", text, re.MULTILINE):
        fields = dict(re.findall(r"^ +(\w+): (.*)$", block, re.MULTILINE))
        wildcards = dict(re.findall(r"(\w+)=([^,]*)", fields.get("wildcards", "")))
        output = re.sub(r" \(\w+\)$", "", fields.get("output", "").split(", ")[0])
        if rule != "all":
            jobs.append(Job(rule, wildcards, output))
    return jobs


class Size(NamedTuple):
    """A model's operations per image, parameters, and length of embeddings."""

    image_flops: int
    parameters: int
    embedding: int


@functools.cache
def tabulated_size(architecture: str | None) -> Size | None:
    """From the table, which has the architectures of the shipped configurations."""
    table = json.loads(SIZES.read_text())
    return Size(**table[architecture]) if architecture in table else None


@functools.cache
def size_of(architecture: str) -> Size:
    """From the table; an architecture that is not in it is built, which loads PyTorch.

    Raises:
        UserError: The architecture is unknown.
    """
    if tabulated := tabulated_size(architecture):
        return tabulated
    from vlmrm.models.model_size import measure_size

    size = measure_size(architecture)
    return Size(size.image_flops, size.parameters, size.embedding)


def known_size(config: Config, name: str) -> Size | None:
    """Size of a model by its architecture, or else by its folder, if it is there."""
    model = config.models[name]
    if model.architecture is not None:
        return size_of(model.architecture)
    folder = Path(model.path) if model.path is not None else MODELS / name
    if (folder / CONFIG_FILE).is_file():
        with suppress(Exception):  # whatever a malformed or foreign file makes open_clip raise
            return size_of(f"local-dir:{folder.resolve()}")
    return None


def model_size(config: Config, name: str) -> Size:
    """Size of a model; that of `STAND_IN` if it is unknown."""
    return known_size(config, name) or size_of(STAND_IN)


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
    serial: float = 0
    shared: float = 0
    accelerated: float = 0
    download: float = 0
    disk: float = 0

    @property
    def alone(self) -> bool:
        """Whether the job takes all cores, or those beside a GPU; others take one."""
        return self.shared + self.accelerated > 0

    def seconds(self, machine: Machine) -> float:
        """Duration of the job, without its download."""
        cores = machine.cores / max(machine.gpus, 1)
        return self.serial + self.shared / cores + self.accelerated

    def render(self, environment: str, scene: str, count: float, rendering: Rendering) -> float:
        """Adds frames; returns their bytes."""
        pixels = rendering.humanoid_size**2 if environment == "humanoid" else 400 * 600
        name = "filament" if scene == "filament" else environment
        seconds = FRAME[name] + MEGAPIXEL.get(name, 0) * pixels / 1e6
        if rendering.shadows and name == "humanoid":
            seconds *= SHADOWS
        self.frames += count
        self.shared += count * seconds
        return 3 * pixels * count

    def film(self, video: VideoSettings | None, count: float) -> None:
        """Adds the frames of a video, if there is one."""
        if video is not None:
            self.render(video.environment, video.scene, count, video.rendering)
            self.disk += VIDEO_FRAME * count

    def embed(self, config: Config, machine: Machine, model: str, count: float) -> None:
        """Adds images that a model embeds."""
        small = config.models[model].architecture in sim_architectures()
        flops = machine.small_flops if small else machine.flops
        self.images += count
        self.accelerated += count * model_size(config, model).image_flops / flops


def work_of(job: Job, config: Config, machine: Machine) -> Work:
    """What a job of the workflow does; figures and tables count as their start alone."""
    w = job.wildcards
    work = Work(serial=START if job.rule.startswith(LIGHT) else START_TORCH)
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
                    work.render(environment, scene, count, corpus.rendering)
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
            rendering = config.rendering_settings(states.environment)
            size = work.render(states.environment, w["scene"], states.size, rendering)
            work.disk = COMPRESSED[states.environment] * size
        case "embed_frames":
            work.embed(config, machine, w["model"], config.state_sets[w["states"]].size)
            work.disk = FLOAT * work.images * model_size(config, w["model"]).embedding
        case "train_policy":
            _train(work, TrainingRun.model_validate(w), config, machine)
        case "evaluate_policy":
            run = config.evaluation_settings(TrainingRun.model_validate(w))
            work.shared = run.trajectories * run.episode_steps * STEP[run.environment]
            work.film(run.video, run.video_trajectories * run.episode_steps)
        case "evaluate_random_policy":
            random = config.random_evaluation_settings(w["task"])
            work.shared = random.trajectories * random.episode_steps * STEP[random.environment]
    return work


def _train(work: Work, run: TrainingRun, config: Config, machine: Machine) -> None:
    settings = config.training_settings(run)
    environment, agent = settings.environment, settings.agent
    per_round = agent.train_freq * agent.n_envs
    steps = math.ceil(agent.total_timesteps / per_round) * per_round
    saved = agent.total_timesteps // agent.save_freq
    update = machine.update if environment == "humanoid" else UPDATE[environment]
    work.shared = steps * STEP[environment]
    work.accelerated = updates(agent) * update
    work.film(settings.video, saved * agent.episode_steps)
    # The policies of every checkpoint, the last one, and copies of the best two.
    work.disk += (saved + 4) * policy_bytes(environment, agent)
    if config.training[environment].lookup is not None:  # on one core
        work.serial += work.shared + work.accelerated
        work.shared = work.accelerated = 0
    elif run.reward_source not in REFERENCES:
        work.render(environment, run.scene, steps, settings.rendering)
        work.embed(config, machine, run.reward_source, steps)


def updates(agent: OffPolicyAgent) -> int:
    """Gradient steps of a whole training: those of each round that ends after the start."""
    per_round = agent.train_freq * agent.n_envs
    rounds = math.ceil(agent.total_timesteps / per_round) - agent.learning_starts // per_round
    return agent.gradient_steps * max(rounds, 0)


def policy_bytes(environment: str, agent: Algorithm) -> int:
    """Size of a saved agent: its networks, their targets, and two moments of Adam.

    The critics of SAC are about as large as the actor.
    """
    observed, actions = OBSERVED[environment]
    widths = [observed + actions, *agent.net_arch, actions]
    copies = 4 if isinstance(agent, DQN) else 3 + 8 + (agent.actor_ema > 0)
    return FLOAT * copies * sum((a + 1) * b for a, b in itertools.pairwise(widths))


@dataclass
class Row:
    """The jobs of one rule, and of one environment where they are trainings.

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
    done = _read_benchmarks(benchmarks, config, machine) if benchmarks else {}
    rows = {}
    for name, work in by_row.items():
        at_once = max(machine.gpus, 1) if any(w.alone for w in work) else machine.cores
        seconds = sum(w.seconds(machine) for w in work) / min(at_once, len(work))
        taken, expected = zip(*done[name], strict=True) if name in done else ([1], [1])
        seconds *= sum(taken) / sum(expected)
        seconds += sum(w.download for w in work) / machine.download
        rows[name] = Row(work, seconds, len(done.get(name, ())))
    return rows


def _row_name(job: Job, config: Config) -> str:
    if job.rule != "train_policy":
        return job.rule
    return f"{job.rule} ({config.tasks[job.wildcards['task']].environment})"


def _read_benchmarks(
    folder: Path, config: Config, machine: Machine
) -> dict[str, list[tuple[float, float]]]:
    """Seconds that jobs took and were expected to take, from Snakemake's extended benchmarks."""
    done: dict[str, list[tuple[float, float]]] = {}
    for file in sorted(folder.rglob("*.jsonl")):
        record = json.loads(file.read_text().splitlines()[-1])
        job = Job(record["rule_name"], record["wildcards"])
        with suppress(KeyError):  # of a model or task that the configuration no longer has
            expected = work_of(job, config, machine).seconds(machine)
            done.setdefault(_row_name(job, config), []).append((float(record["s"]), expected))
    return done


def sum_seconds(rows: dict[str, Row]) -> float:
    """Of all rules, one after the other."""
    return sum(row.seconds for row in rows.values())


def hours(seconds: float) -> str:
    """For example ``1,234`` or ``0.012``."""
    number = seconds / 3600
    return humanize.intcomma(round(number)) if number >= 100 else f"{number:.2g}"


def warnings(rows: dict[str, Row], config: Config, machine: Machine) -> Iterable[str]:
    """What is uncertain about a plan, or speaks against it, a line each."""
    for name in config.models:
        if known_size(config, name) is None:
            yield f"models.{name}: of unknown size, counted as {STAND_IN} until it is fetched"
    if machine.gpu_memory is not None:
        for name in config.models:
            weights = HALF * model_size(config, name).parameters
            if weights > GPU_SHARE * machine.gpu_memory:
                yield (
                    f"Warning: models.{name}: its weights ({humanize.naturalsize(weights)}) leave "
                    "too little of the GPU's memory for images"
                )
    if not machine.gpus and sum_seconds(rows) > LONG * 3600:
        yield (
            f"Warning: about {hours(sum_seconds(rows))} hours on this CPU; this run needs a GPU. "
            "`make demo` takes an hour on two cores."
        )
