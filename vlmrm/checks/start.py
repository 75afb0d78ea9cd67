"""Checks before a run starts: each problem is one line, reported before the first job."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import humanize

from vlmrm.checks.command_line import refuse_repeated, snakemake_options
from vlmrm.checks.environments import environment_problem
from vlmrm.checks.functions import function_problems
from vlmrm.checks.models import (
    download_problems,
    folder_problems,
    scene_warnings,
    text_problems,
)
from vlmrm.config import Config, FunctionModel, TrainingRun, read_layer
from vlmrm.config.architectures import sim_architectures
from vlmrm.config.ensembles import towers
from vlmrm.errors import UserError
from vlmrm.labeling.labels import check_label_file
from vlmrm.machine.doctor import Verdict, check_rendering, cuda_works, filament_problem
from vlmrm.machine.machines import MACHINES
from vlmrm.machine.memory import memory_problem
from vlmrm.models.folder import PROVENANCE_FILE, partial_folder
from vlmrm.plan.cost import hours, make_plan, sum_seconds
from vlmrm.plan.jobs import Job, planned_jobs
from vlmrm.plan.work import replay_bytes, work_of
from vlmrm.workflow import is_workflow

FORCE = "VLMRM_FORCE"
"""Environment variable that, set to 1, skips the checks of network, rendering, time, disk, and
functions."""

_started_in: Path | None = None
"""Where Snakemake was started, before it goes to its `--directory`."""

TOO_LONG = 200
"""Hours of published models without a GPU above which a run is not started."""

MUJOCO = {
    "make_corpus",
    "sample_states",
    "sample_rollouts",
    "sample_live_rollouts",
    "render_frames",
    "train_policy",
    "evaluate_policy",
    "evaluate_live_policy",
    "evaluate_random_policy",
    "record_video",
    "score_frames",
    "search_poses",
    "train_model",
    "draw_filmstrip",
    "draw_gallery",
    "draw_scenes",
    "draw_search",
    "draw_search_gallery",
    "draw_poses",
    "draw_boundaries",
}
"""Rules whose commands import MuJoCo, which loads OpenGL also where nothing is rendered."""

EMBEDDING_RULES = {
    "train_policy": ("training", "trainings"),
    "embed_frames": ("embedding", "embeddings"),
    "search_poses": ("search", "searches"),
    "record_video": ("video", "videos"),
}
"""Rules in which models embed many frames, as one and several are reported."""


def check_files(argv: Sequence[str]) -> None:
    """Reads the configuration files that a command line of Snakemake names.

    Before Snakemake does: it would run the code of templates, and answer mistakes with a traceback
    or without the name of the file. Refuses options given twice, of which it keeps the last.
    """
    global _started_in
    _started_in = Path.cwd()
    options = snakemake_options(argv)
    if options is None:
        return  # Snakemake says what is wrong
    places = (Path("Snakefile"), Path("workflow", "Snakefile"))
    if not is_workflow(options.snakefile or next(filter(Path.exists, places), places[0])):
        return  # a workflow that uses this one as a module; its files are its own matter
    default = options.directory / "config.yaml"
    try:
        refuse_repeated(options)
        for file in [*chain(*options.configfile)] or filter(Path.exists, [default]):
            read_layer(file)
    except UserError as error:
        sys.exit(f"vlmrm: {error}")


def check_start(
    argv: Sequence[str],
    config: Config,
    own_name: Callable[[str], str | None],
    cluster: bool,
) -> str | None:
    """Problems of the run that a command line of Snakemake starts; asks it for a dry run.

    Without problems, it prints what speaks against the run nevertheless.

    Args:
        argv: The command line.
        config: Configuration of the run.
        own_name: The name of a rule in this workflow, or None for rules of one that uses it.
        cluster: Whether jobs run on other machines than this one.
    """
    if "snakemake" not in argv[0]:
        return None
    try:
        jobs = planned_jobs(argv[1:], _started_in)
    except UserError as error:
        print(f"vlmrm: not checked before the start: {error}", file=sys.stderr)
        return None
    named = [(job, own_name(job.rule)) for job in jobs]
    own = [job._replace(rule=name) for job, name in named if name]
    problems = find_problems(own, config, cluster)
    for warning in [] if problems else scene_warnings(own, config):
        print(f"vlmrm: warning: {warning}", file=sys.stderr)
    return problems


def find_problems(jobs: Iterable[Job], config: Config, cluster: bool = False) -> str | None:
    """Why a run should not start and what to do, one line per problem; None if it may start.

    Args:
        jobs: Jobs of a dry run.
        config: Configuration of the run.
        cluster: Whether they run on other machines, which may have what this one lacks.
    """
    jobs = list(jobs)
    problems = [*text_problems(jobs, config), *folder_problems(jobs, config)]
    problems += [] if cluster else _memory(jobs, config)
    problems += [*_writable(jobs), *_labels(jobs, config)]
    forced = os.environ.get(FORCE) == "1"
    without_opengl = [] if forced or cluster else [*_opengl(jobs)]
    # Without OpenGL, environments would fail for that reason alone.
    problems += [] if without_opengl or cluster else _environments(jobs, config)
    if not forced:
        guesses = [*download_problems(jobs, config), *without_opengl]
        guesses += [] if cluster else [*_filament(jobs, config), *_gpu(jobs, config)]
        guesses += [*_space(jobs, config), *function_problems(jobs, config, load=not cluster)]
        problems += [f"{problem}; {FORCE}=1 starts it anyway" for problem in guesses]
    return "\n".join(problems) or None


def _environments(jobs: list[Job], config: Config) -> Iterator[str]:
    """Tries each of the user's own environments in which an agent acts."""
    tasks = {job.wildcards["task"] for job in jobs if "task" in job.wildcards}
    sets = {job.wildcards["states"] for job in jobs if job.rule == "sample_live_rollouts"}
    names = {config.tasks[task].environment for task in tasks}
    names |= {config.state_sets[states].environment for states in sets}
    captions: dict[str, dict[str, str]] = {}
    made = {job.wildcards["corpus"] for job in jobs if job.rule == "make_corpus"}
    for corpus_name in sorted(made):
        corpus = config.corpora[corpus_name]
        if corpus.captions is not None:
            environment = config.state_sets[corpus.states[0]].environment
            key = f"corpora.{corpus_name}.captions"
            captions.setdefault(environment, {})[key] = corpus.captions
    for name, own in config.environments.items():
        training = config.training.get(name) if name in {*names, *captions} else None
        asked = captions.get(name, {})
        if training and (problem := environment_problem(name, own, training.agent, asked)):
            yield problem


def _opengl(jobs: list[Job]) -> Iterator[str]:
    if not any(job.rule in MUJOCO for job in jobs):
        return
    check = check_rendering()
    if check.verdict is Verdict.broken:
        yield f"rendering does not work: {check.message}"


def _filament(jobs: list[Job], config: Config) -> Iterator[str]:
    needed = any("filament" in _rendered(job, config) for job in jobs)
    if needed and (problem := filament_problem()):
        yield problem


def _rendered(job: Job, config: Config) -> Iterable[str]:
    """The scenes whose frames a job renders for reward models."""
    match job.rule:
        case "make_corpus":
            return config.corpora[job.wildcards["corpus"]].frames.get("humanoid", ())
        case "train_policy":
            run = TrainingRun.model_validate(job.wildcards)
            return config.training_settings(run).scenes if config.sees_frames(run) else ()
        case "render_frames" | "score_frames" | "search_poses":
            return (job.wildcards["scene"],)
    return ()


def _gpu(jobs: list[Job], config: Config) -> Iterator[str]:
    """Counts only jobs in which published models embed frames: such runs do little else."""
    long = [job for job in jobs if _embeds(job, config)]
    if not long:
        return
    machine = MACHINES["laptop"]
    seconds = sum_seconds(make_plan(long, config, machine))
    if seconds < TOO_LONG * 3600 or cuda_works():
        return
    counts = Counter(EMBEDDING_RULES[job.rule] for job in long)
    counted = " and ".join(f"{n} {names[n > 1]}" for names, n in counts.items())
    yield (
        f"{counted} on published models: about {hours(seconds)} hours on {machine.cores} cores, "
        "and there is no GPU that PyTorch can use; run `make demo` (20 minutes), or see what less "
        "would take with `vlmrm plan`"
    )


def _memory(jobs: list[Job], config: Config) -> Iterator[str]:
    """Replay buffers are the largest arrays; those of the user's own environments are tried."""
    tasks = {job.wildcards["task"] for job in jobs if job.rule == "train_policy"}
    environments = {config.tasks[task].environment for task in tasks}
    for environment in sorted(environments - config.environments.keys()):
        needed = replay_bytes(environment, config.training[environment].agent)
        if problem := memory_problem(f"training.{environment}.agent.buffer_size", needed):
            yield problem


def _labels(jobs: list[Job], config: Config) -> Iterator[str]:
    """Label files that measurements could not read; Snakemake names those that are missing."""
    for name in sorted({job.wildcards["epic"] for job in jobs if job.rule == "measure_epic"}):
        for path in filter(os.path.exists, config.epic[name].label_files):
            try:
                check_label_file(path)
            except UserError as error:
                yield f"epic.{name}.labels: {error}"


def _writable(jobs: list[Job]) -> Iterator[str]:
    for folder in sorted({_top(Path(job.outputs[0])) for job in jobs if job.outputs}):
        if not os.access(folder, os.W_OK):
            yield (
                f"{folder.resolve()}: cannot be written; make it writable, or make it a link to a "
                "folder that is"
            )


def _top(place: Path) -> Path:
    """The folder of a run or of all models, as far as it is there; it may have its own disk."""
    folders = (Path(*place.parts[:2]), Path(place.parts[0]), Path())
    return next(folder for folder in folders if folder.is_dir())


def _space(jobs: list[Job], config: Config) -> Iterator[str]:
    """Counts on each disk what stays in the end and is not there already."""
    needed: Counter[int] = Counter()
    folders: dict[int, Path] = {}
    for job in jobs:
        if not job.outputs or not (size := round(work_of(job, config, MACHINES["laptop"]).disk)):
            continue
        place = Path(job.outputs[0])
        if place.name == PROVENANCE_FILE:
            place = place.parent  # a model
        folder = _top(place)
        disk = folder.stat().st_dev
        folders.setdefault(disk, folder)
        needed[disk] += max(0, size - _size_on_disk(place))
    for disk, size in needed.items():
        free = shutil.disk_usage(folders[disk]).free
        if size > free:
            yield (
                f"about {humanize.naturalsize(size)} of disk space are needed, but the disk of "
                f"{folders[disk].resolve()} has {humanize.naturalsize(free)} free; free some, or "
                "remove models, states or trainings from the configuration"
            )


def _size_on_disk(place: Path) -> int:
    """Bytes of a file or folder, and of its partial downloads."""
    files = [place, *place.rglob("*"), *partial_folder(place).rglob("*")]
    return sum(file.stat().st_size for file in files if file.is_file())


def _embeds(job: Job, config: Config) -> bool:
    """Whether a model of published size embeds frames in a job."""
    if job.rule not in EMBEDDING_RULES:
        return False
    name = job.wildcards.get("model") or job.wildcards["reward_source"]
    models = [config.models[tower] for tower in towers(config, name)]
    # Nobody knows how long a function takes.
    slow = [model for model in models if not isinstance(model, FunctionModel)]
    if all(model.architecture in sim_architectures() for model in slow):
        return False
    if job.rule not in ("train_policy", "record_video"):
        return True
    return config.training[config.tasks[job.wildcards["task"]].environment].lookup is None
