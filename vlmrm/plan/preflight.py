"""What is known before the first job to end badly, told then and in one line."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterable

from vlmrm.config import Config, PretrainedModel
from vlmrm.doctor import Verdict, check_hub, cuda_works
from vlmrm.models.names import architecture_file, family_architectures
from vlmrm.plan.jobs import Job

PATIENCE = "VLMRM_PATIENCE"
"""Environment variable that, set to 1, starts a run that takes very long all the same."""

TOO_LONG = 200
"""Hours of training without a GPU above which a run is not started."""


def refusal(jobs: Iterable[Job], config: Config, here: bool = True) -> str | None:
    """Why a run should not start, and what to do; None if it may. Takes seconds.

    Args:
        jobs: What the run would do.
        config: Its configuration.
        here: Whether it runs on this machine, and not on a cluster's.
    """
    jobs = list(jobs)
    fetched = [job.wildcards["model"] for job in jobs if job.rule == "fetch_model"]
    return (
        _without_hub(fetched, config)
        or (_without_gpu(jobs, config) if here else None)
        or _without_tokenizer(fetched, config)
    )


def _without_hub(fetched: list[str], config: Config) -> str | None:
    missing = [name for name in fetched if not _is_local(config, name)]
    if not missing:
        return None
    hub = check_hub()
    if hub.verdict is Verdict.fine:
        return None
    reason, _, _ = hub.told.partition(": published models")
    return (
        f"models.{missing[0]}:{_others(missing)} to be downloaded, but {reason}; run `make demo`, "
        "which needs no network, or copy the folders to resources/models from a machine that has "
        "them, or name a mirror in HF_ENDPOINT"
    )


def _without_tokenizer(fetched: list[str], config: Config) -> str | None:
    if importlib.util.find_spec("transformers") is not None:
        return None
    needing = [name for name in fetched if _has_tokenizer(config, name)]
    if not needing:
        return None
    return (
        f"models.{needing[0]}:{_others(needing)} needs the library transformers for the tokenizer; "
        "install it with `pip install transformers`, or take the models out of the configuration"
    )


def _without_gpu(jobs: list[Job], config: Config) -> str | None:
    """Counts trainings on published models alone: they take all the time that such runs take."""
    if os.environ.get(PATIENCE) == "1":
        return None
    long = [job for job in jobs if job.rule == "train_policy" and _is_published(job, config)]
    if not long or cuda_works():
        return None
    from vlmrm.plan.estimate import hours, make_plan
    from vlmrm.plan.machine import OTHERWISE, load_machine

    seconds = make_plan(long, config, load_machine(OTHERWISE)).seconds
    if seconds < TOO_LONG * 3600:
        return None
    trainings = "1 training" if len(long) == 1 else f"{len(long)} trainings"
    return (
        f"{trainings} on published models: about {hours(seconds)} on a CPU, and there is no GPU "
        "that PyTorch can use; run `make demo` (50 minutes), or see by `vlmrm plan` what less "
        f"would take; {PATIENCE}=1 starts it all the same"
    )


def _is_local(config: Config, name: str) -> bool:
    model = config.models[name]
    return isinstance(model, PretrainedModel) and model.path is not None


def _is_published(job: Job, config: Config) -> bool:
    model = config.models.get(job.wildcards["reward"])
    lookup = config.training[config.tasks[job.wildcards["task"]].environment].lookup
    return (
        model is not None
        and lookup is None
        and model.architecture is not None
        and model.architecture not in family_architectures()
    )


def _has_tokenizer(config: Config, name: str) -> bool:
    architecture = config.models[name].architecture
    if architecture is None:
        return False
    content = json.loads(architecture_file(architecture).read_text())
    return bool(content.get("text_cfg", {}).get("hf_tokenizer_name"))


def _others(names: list[str]) -> str:
    return f" with {len(names) - 1} more," if len(names) > 1 else ""
