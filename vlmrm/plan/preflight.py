"""What is known before the first job to end badly, told then and in one line."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from vlmrm.config import Config, PretrainedModel
from vlmrm.config.architectures import family_architectures
from vlmrm.machine.doctor import Verdict, check_hub, cuda_works
from vlmrm.plan.jobs import Job
from vlmrm.plan.sizes import model_config
from vlmrm.plan.work import disk_of

PATIENCE = "VLMRM_PATIENCE"
"""Environment variable that, set to 1, starts a run that takes very long, or much of the disk, all
the same."""

TOO_LONG = 200
"""Hours of published models without a GPU above which a run is not started."""

LOOKING = {"train_policy": "training", "embed_frames": "embedding"}
"""Jobs in which models look at frames, as they are told."""


def refusal(jobs: Iterable[Job], config: Config, here: bool = True) -> str | None:
    """Why a run should not start, and what to do, a line for each reason; None if it may.

    Takes seconds.

    Args:
        jobs: What the run would do.
        config: Its configuration.
        here: Whether it runs on this machine, and not on a cluster's.
    """
    jobs = list(jobs)
    fetched = [job.wildcards["model"] for job in jobs if job.rule == "fetch_model"]
    reasons = [*_without_hub(fetched, config), *_without_tokenizer(fetched, config)]
    if os.environ.get(PATIENCE) != "1":
        reasons += _without_gpu(jobs, config) if here else []
        reasons += _without_space(jobs, config)
    return "\n".join(reasons) or None


def _without_hub(fetched: list[str], config: Config) -> Iterator[str]:
    missing = [name for name in fetched if not _is_local(config, name)]
    if not missing:
        return
    hub = check_hub()
    if hub.verdict is Verdict.fine:
        return
    reason, _, _ = hub.told.partition(": published models")
    yield (
        f"models.{missing[0]}:{_others(missing)} to be downloaded, but {reason}; run `make demo`, "
        "which needs no network, or copy the folders to resources/models from a machine that has "
        "them, or name a mirror in HF_ENDPOINT"
    )


def _without_tokenizer(fetched: list[str], config: Config) -> Iterator[str]:
    if importlib.util.find_spec("transformers") is not None:
        return
    needing = [name for name in fetched if _has_tokenizer(config, name)]
    if not needing:
        return
    yield (
        f"models.{needing[0]}:{_others(needing)} needs the library transformers for the tokenizer; "
        "install it with `pip install transformers`, or take the models out of the configuration"
    )


def _without_gpu(jobs: list[Job], config: Config) -> Iterator[str]:
    """Counts only jobs in which published models look at frames: such runs do little else."""
    long = [job for job in jobs if _is_published(job, config)]
    if not long or cuda_works():
        return
    from vlmrm.plan.estimate import hours, make_plan
    from vlmrm.plan.machine import OTHERWISE, load_machine

    machine = load_machine(OTHERWISE)
    seconds = make_plan(long, config, machine).seconds
    if seconds < TOO_LONG * 3600:
        return
    counts = Counter(LOOKING[job.rule] for job in long)
    told = " and ".join(f"{n} {name}{'s' if n > 1 else ''}" for name, n in counts.items())
    yield (
        f"{told} on published models: about {hours(seconds)} on {machine.cores.value:g} cores, and "
        "there is no GPU that PyTorch can use; run `make demo` (an hour), or see by "
        f"`vlmrm plan` what less would take; {PATIENCE}=1 starts it all the same"
    )


def _without_space(jobs: list[Job], config: Config) -> Iterator[str]:
    """Counts on each disk what stays in the end and is not there already."""
    needed: Counter[int] = Counter()
    folders: dict[int, Path] = {}
    for job in jobs:
        if _is_small(job, config) or not (size := round(disk_of(job, config))):
            continue
        place = Path(job.output)
        top = Path(place.parts[0])  # as a link or a volume it is on a disk of its own
        folder = top if top.is_dir() else Path()
        disk = folder.stat().st_dev
        folders.setdefault(disk, folder)
        needed[disk] += max(0, size - _taken(place))
    for disk, size in needed.items():
        free = shutil.disk_usage(folders[disk]).free
        if size > free:
            from vlmrm.models.hub import readable

            yield (
                f"about {readable(size)} of disk space are needed, but the disk of "
                f"{folders[disk].resolve()} has {readable(free)} free; free some, or take models, "
                f"states or trainings out of the configuration; {PATIENCE}=1 starts it all the same"
            )


def _taken(place: Path) -> int:
    """Bytes of a file or folder, and of its partial downloads."""
    parts = place.with_name(f".{place.name}.download")
    files = [place, *place.rglob("*"), *parts.rglob("*")]
    return sum(file.stat().st_size for file in files if file.is_file())


def _is_small(job: Job, config: Config) -> bool:
    """Whether a job leaves a model of the offline family: to count it would load PyTorch."""
    model = job.wildcards.get("model")
    return model is not None and config.models[model].architecture in family_architectures()


def _is_local(config: Config, name: str) -> bool:
    model = config.models[name]
    return isinstance(model, PretrainedModel) and model.path is not None


def _is_published(job: Job, config: Config) -> bool:
    """Whether a model of published size looks at frames in a job."""
    if job.rule not in LOOKING:
        return False
    model = config.models.get(job.wildcards.get("model") or job.wildcards["reward_source"])
    if model is None or model.architecture in family_architectures():
        return False
    return job.rule == "embed_frames" or (
        config.training[config.tasks[job.wildcards["task"]].environment].lookup is None
    )


def _has_tokenizer(config: Config, name: str) -> bool:
    return bool(model_config(config, name).get("text_cfg", {}).get("hf_tokenizer_name"))


def _others(names: list[str]) -> str:
    return f" with {len(names) - 1} more," if len(names) > 1 else ""
