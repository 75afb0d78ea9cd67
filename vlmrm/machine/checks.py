"""Checks before a run starts: each problem is one line, reported before the first job."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import humanize

from vlmrm.config import Config, FunctionModel, PretrainedModel, TrainingRun, read_layer
from vlmrm.config.architectures import architecture_file, sim_architectures
from vlmrm.config.ensembles import towers
from vlmrm.envs.probe import environment_problem
from vlmrm.errors import UserError
from vlmrm.machine.doctor import Verdict, check_hub, check_rendering, cuda_works
from vlmrm.machine.functions import function_problems
from vlmrm.machine.gpus import on_cluster
from vlmrm.machine.machines import MACHINES
from vlmrm.machine.memory import memory_problem
from vlmrm.models.folder import MODELS, PROVENANCE_FILE
from vlmrm.plan.cost import hours, make_plan, sum_seconds
from vlmrm.plan.jobs import Job, planned_jobs
from vlmrm.plan.work import replay_bytes, work_of
from vlmrm.workflow import is_workflow

FORCE = "VLMRM_FORCE"
"""Environment variable that, set to 1, skips the checks of network, rendering, time, disk, and
functions."""

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
    "film_policy",
    "draw_filmstrip",
    "draw_scenes",
    "draw_poses",
    "draw_boundaries",
}
"""Rules whose commands import MuJoCo, which loads OpenGL also where nothing is rendered."""

EMBEDDING = {"train_policy": "training", "embed_frames": "embedding"}
"""Rules in which models embed frames, as they are reported."""


def check_files(argv: Sequence[str]) -> None:
    """Reads the configuration files that a command line of Snakemake names.

    Before Snakemake does: it would run the code of templates, and answer mistakes with a traceback
    or without the name of the file.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False, exit_on_error=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", type=Path, default=[])
    parser.add_argument("--snakefile", "-s", type=Path)
    try:
        options = parser.parse_known_args(argv[1:])[0]
    except argparse.ArgumentError:
        return  # Snakemake says so
    places = (Path("Snakefile"), Path("workflow", "Snakefile"))
    if not is_workflow(options.snakefile or next(filter(Path.exists, places), places[0])):
        return  # a workflow that uses this one as a module; its files are its own matter
    default = Path("config.yaml")  # read also where others replace it
    try:
        for file in (*([default] if default.exists() else []), *options.configfile):
            read_layer(file)
    except UserError as error:
        sys.exit(f"vlmrm: {error}")


def check_start(
    argv: Sequence[str], config: Config, own_name: Callable[[str], str | None]
) -> str | None:
    """Problems of the run that a command line of Snakemake starts; asks it for a dry run.

    Args:
        argv: The command line.
        config: Configuration of the run.
        own_name: The name of a rule in this workflow, or None for rules of one that uses it.
    """
    if "snakemake" not in argv[0]:
        return None
    try:
        jobs = planned_jobs(argv[1:])
    except UserError:
        return None  # a dry run that is not possible with these options
    own = [(job, own_name(job.rule)) for job in jobs]
    return find_problems([job._replace(rule=name) for job, name in own if name], config)


def find_problems(jobs: Iterable[Job], config: Config) -> str | None:
    """Why a run should not start and what to do, one line per problem; None if it may start.

    Args:
        jobs: Jobs of a dry run.
        config: Configuration of the run.
    """
    jobs = list(jobs)
    to_fetch = [job.wildcards["model"] for job in jobs if job.rule == "fetch_model"]
    without_library = _without_library(to_fetch, config)
    problems = [*_tokenizers(without_library), *_sentences(jobs, config)]
    problems += [*_memory(jobs, config), *_writable(jobs)]
    forced = os.environ.get(FORCE) == "1"
    without_opengl = [] if forced else [*_opengl(jobs)]
    # Without OpenGL, environments would fail for that reason alone.
    problems += [] if without_opengl else _environments(jobs, config)
    if not forced:
        online = [name for name in to_fetch if name not in without_library]
        problems += [*_published(online, config), *without_opengl, *_gpu(jobs, config)]
        problems += [*_space(jobs, config)]
        functions = function_problems(jobs, config)
        problems += [f"{problem}; {FORCE}=1 starts it anyway" for problem in functions]
    return "\n".join(problems) or None


def _published(names: list[str], config: Config) -> Iterator[str]:
    """Asks the hub for every model that will be downloaded."""
    models = {
        name: model
        for name in names
        if isinstance(model := config.models[name], PretrainedModel) and model.path is None
    }
    if not models:
        return
    first = f"models.{next(iter(models))}:{_others(list(models))}"
    if (hub := check_hub()).verdict is not Verdict.fine:
        reason, _, _ = hub.message.partition(": published models")
        yield (
            f"{first} must be downloaded, but {reason}; run `make demo`, which needs no network, "
            "or copy the folders to resources/models from a machine that has them, or name a "
            f"mirror in HF_ENDPOINT; {FORCE}=1 starts it anyway"
        )
        return
    from vlmrm.models import look_up  # loads PyTorch

    for finding in look_up.look_up_models(models, MODELS).values():
        if finding.problem:
            yield f"{finding.problem}; {FORCE}=1 starts it anyway"


def _without_library(names: list[str], config: Config) -> list[str]:
    """The models whose tokenizer needs a library that is not installed."""
    if importlib.util.find_spec("transformers") is not None:
        return []
    return [name for name in names if _has_tokenizer(config, name)]


def _tokenizers(needing: list[str]) -> Iterator[str]:
    if needing:
        yield (
            f"models.{needing[0]}:{_others(needing)} needs the library transformers for the "
            "tokenizer; install it with `pip install transformers`, or remove the models from the "
            "configuration"
        )


def _sentences(jobs: list[Job], config: Config) -> Iterator[str]:
    """Sentences that models would not read to their end, which are trained or downloaded first.

    The jobs themselves refuse such sentences: at once, where the model is there already.
    """
    coming = {job.wildcards["model"] for job in jobs if job.rule in ("train_model", "fetch_model")}
    # Each once, however many agents are trained on it.
    read: dict[tuple[str, str], set[str]] = {}
    for job in jobs:
        if job.rule == "embed_prompts":
            name, prompts = job.wildcards["model"], config.prompt_settings(job.wildcards["task"])
        elif job.rule == "train_policy":
            run = TrainingRun.model_validate(job.wildcards)
            name, prompts = run.reward_source, config.training_settings(run).prompts
        else:
            continue
        if name in coming:
            read.setdefault((name, prompts.task), set()).update(prompts.sentences)
    for (name, task), texts in read.items():
        if problem := unread_words(config, name, texts):
            yield f"tasks.{task}: {problem}"


def unread_words(config: Config, name: str, texts: Iterable[str]) -> str | None:
    """Why a model with CLIP's tokenizer would not read sentences to their end; None if it would."""
    length = _tokens_read(config, name)
    # A token is a byte or more; two mark start and end.
    if length is None or all(len(text.encode()) + 2 <= length for text in texts):
        return None
    from vlmrm.models import sentences  # loads PyTorch

    try:
        sentences.check_lengths(sentences.clip_tokenizer(length), sorted(texts), f"models.{name}")
    except UserError as error:
        return str(error)
    return None


def _environments(jobs: list[Job], config: Config) -> Iterator[str]:
    """Tries each of the user's own environments in which an agent acts; on a cluster, jobs do."""
    if on_cluster():
        return
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
    """On a cluster, jobs run on nodes that may have what this one lacks."""
    if on_cluster() or not any(job.rule in MUJOCO for job in jobs):
        return
    check = check_rendering()
    if check.verdict is Verdict.broken:
        yield f"rendering does not work: {check.message}; {FORCE}=1 starts it anyway"


def _gpu(jobs: list[Job], config: Config) -> Iterator[str]:
    """Counts only jobs in which published models embed frames: such runs do little else."""
    long = [job for job in jobs if _embeds(job, config)]
    if not long or on_cluster():
        return
    machine = MACHINES["laptop"]
    seconds = sum_seconds(make_plan(long, config, machine))
    if seconds < TOO_LONG * 3600 or cuda_works():
        return
    counts = Counter(EMBEDDING[job.rule] for job in long)
    counted = " and ".join(f"{n} {name}{'s' if n > 1 else ''}" for name, n in counts.items())
    yield (
        f"{counted} on published models: about {hours(seconds)} hours on {machine.cores} cores, "
        "and there is no GPU that PyTorch can use; run `make demo` (20 minutes), or see what less "
        f"would take with `vlmrm plan`; {FORCE}=1 starts it anyway"
    )


def _memory(jobs: list[Job], config: Config) -> Iterator[str]:
    """Replay buffers are the largest arrays. On a cluster, each node has its own memory."""
    if on_cluster():
        return
    tasks = {job.wildcards["task"] for job in jobs if job.rule == "train_policy"}
    for environment in sorted({config.tasks[task].environment for task in tasks}):
        needed = replay_bytes(environment, config.training[environment].agent)
        if problem := memory_problem(f"training.{environment}.agent.buffer_size", needed):
            yield problem


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
                "remove models, states or trainings from the configuration; "
                f"{FORCE}=1 starts it anyway"
            )


def _size_on_disk(place: Path) -> int:
    """Bytes of a file or folder, and of its partial downloads."""
    parts = place.with_name(f".{place.name}.download")
    files = [place, *place.rglob("*"), *parts.rglob("*")]
    return sum(file.stat().st_size for file in files if file.is_file())


def _embeds(job: Job, config: Config) -> bool:
    """Whether a model of published size embeds frames in a job."""
    if job.rule not in EMBEDDING:
        return False
    name = job.wildcards.get("model") or job.wildcards["reward_source"]
    models = [config.models[tower] for tower in towers(config, name)]
    # Nobody knows how long a function takes.
    slow = [model for model in models if not isinstance(model, FunctionModel)]
    if all(model.architecture in sim_architectures() for model in slow):
        return False
    return job.rule == "embed_frames" or (
        config.training[config.tasks[job.wildcards["task"]].environment].lookup is None
    )


def _has_tokenizer(config: Config, name: str) -> bool:
    """Whether an architecture needs transformers for its text; unknown ones do not."""
    return bool(_text_tower(config, name).get("hf_tokenizer_name"))


def _tokens_read(config: Config, name: str) -> int | None:
    """Tokens of a sentence that a model with CLIP's tokenizer reads; None for other tokenizers."""
    tower = _text_tower(config, name)
    known = tower and not tower.get("hf_tokenizer_name")
    return int(tower.get("context_length", 77)) if known else None


def _text_tower(config: Config, name: str) -> dict[str, Any]:
    """The text tower of a model's architecture, as open_clip describes it; empty if unknown."""
    architecture = config.models[name].architecture
    if architecture is None:
        return {}
    return dict(json.loads(architecture_file(architecture).read_text())["text_cfg"])


def _others(names: list[str]) -> str:
    return f" with {len(names) - 1} more," if len(names) > 1 else ""
