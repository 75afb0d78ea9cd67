"""Checks of a run's models before it starts: downloads, tokenizers, and sentences."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator
from typing import Any

from vlmrm.checks.scenes import unseen_warnings
from vlmrm.config import Config, PretrainedModel, TrainingRun
from vlmrm.config.architectures import architecture_file
from vlmrm.errors import UserError
from vlmrm.machine.doctor import Verdict, check_hub
from vlmrm.models.folder import MODELS
from vlmrm.plan.jobs import Job


def text_problems(jobs: list[Job], config: Config) -> Iterator[str]:
    """Why models that will be trained or downloaded could not read their sentences."""
    yield from _tokenizers(_without_library(jobs, config))
    yield from _sentences(jobs, config)


def folder_problems(jobs: list[Job], config: Config) -> Iterator[str]:
    """Why models could not be copied from local folders."""
    for name in _to_fetch(jobs):
        if problem := folder_problem(config, name):
            yield problem


def folder_problem(config: Config, name: str) -> str | None:
    """Why a model could not be copied from its local folder.

    None if it could, if it was, and for models that come from elsewhere.
    """
    model = config.models[name]
    if not isinstance(model, PretrainedModel) or model.path is None:
        return None
    return next(_unavailable({name: model}), None)


def download_problems(jobs: list[Job], config: Config) -> Iterator[str]:
    """Why models could not be downloaded, apart from those that lack a library: asks the hub."""
    lacking = _without_library(jobs, config)
    models = {
        name: model
        for name in _to_fetch(jobs)
        if name not in lacking
        and isinstance(model := config.models[name], PretrainedModel)
        and model.path is None
    }
    if not models:
        return
    first = f"models.{next(iter(models))}:{_others(list(models))}"
    if (hub := check_hub()).verdict is not Verdict.fine:
        reason, _, _ = hub.message.partition(": published models")
        yield (
            f"{first} must be downloaded, but {reason}; run `make demo`, which needs no network, "
            "or copy the folders to resources/models from a machine that has them, or name a "
            "mirror in HF_ENDPOINT"
        )
        return
    yield from _unavailable(models)


def scene_warnings(jobs: Iterable[Job], config: Config) -> list[str]:
    """What to say of models that reward an agent in scenes that they have not seen.

    Other jobs measure what a reward is worth there.
    """
    uses = [
        (
            job.wildcards["reward_source"],
            config.tasks[job.wildcards["task"]].environment,
            job.wildcards["scene"],
        )
        for job in jobs
        if job.rule == "train_policy"
    ]
    return unseen_warnings(config, uses)


def unread_words(config: Config, name: str, texts: Iterable[str]) -> str | None:
    """Why a model with CLIP's tokenizer would not read sentences to their end; None if it would."""
    length = _tokens_read(config, name)
    # A token is a byte or more; two mark start and end.
    if length is None or all(len(text.encode()) + 2 <= length for text in texts):
        return None
    from vlmrm.models import lengths  # loads PyTorch

    try:
        lengths.check_lengths(lengths.clip_tokenizer(length), sorted(texts), f"models.{name}")
    except UserError as error:
        return str(error)
    return None


def _unavailable(models: dict[str, PretrainedModel]) -> Iterator[str]:
    """Why models could not be fetched."""
    from vlmrm.models import look_up  # loads PyTorch

    for finding in look_up.look_up_models(models, MODELS).values():
        if finding.problem:
            yield finding.problem


def _to_fetch(jobs: list[Job]) -> list[str]:
    return [job.wildcards["model"] for job in jobs if job.rule == "fetch_model"]


def _without_library(jobs: list[Job], config: Config) -> list[str]:
    """The models to fetch whose tokenizer needs a library that is not installed."""
    if importlib.util.find_spec("transformers") is not None:
        return []
    return [name for name in _to_fetch(jobs) if _has_tokenizer(config, name)]


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
