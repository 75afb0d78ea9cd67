"""Looks up all published models of a configuration at once, before any job does."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlmrm.config import PretrainedModel
from vlmrm.errors import UserError
from vlmrm.models.fetch import is_here
from vlmrm.models.find import find_locally, find_online
from vlmrm.models.folder import WEIGHTS_FILE, partial_folder, read_model_provenance
from vlmrm.models.hub.download import missing_bytes, require_space
from vlmrm.models.hub.repository import Unreachable, check_access, reach
from vlmrm.models.hub.requests import endpoint

AT_ONCE = 8
"""Models that are looked up at a time."""


@dataclass(frozen=True)
class Finding:
    """What is known of a published model.

    Attributes:
        origin: Repository and commit, URL, or path; license; file of the weights.
        size: Bytes of weights and tokenizer.
        missing: Bytes to download.
        needed: Bytes of disk space that fetching it takes.
        here: Whether it has been fetched already.
        problem: Why it cannot be fetched, and what to do.
    """

    origin: Mapping[str, Any]
    size: int = 0
    missing: int = 0
    needed: int = 0
    here: bool = False
    problem: str | None = None


def look_up_models(models: Mapping[str, PretrainedModel], folder: Path) -> dict[str, Finding]:
    """Looks up models, several at a time; downloads nothing but configurations.

    Args:
        models: Models by name.
        folder: Folder of the model folders.

    Raises:
        UserError: The hub cannot be reached.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        here = {name: _recall(name, model, folder / name) for name, model in models.items()}
        if any(here[name] is None and model.path is None for name, model in models.items()):
            _reach()
        findings = {
            name: pool.submit(_look_up, f"models.{name}", model, folder / name)
            for name, model in models.items()
            if here[name] is None
        }
    return {name: here[name] or findings[name].result() for name in models}


def describe_problems(findings: Mapping[str, Finding], folder: Path) -> list[str]:
    """Why models cannot be fetched into a folder, and what to do, a line each."""
    problems = [finding.problem for finding in findings.values() if finding.problem]
    try:
        require_space("models", sum(finding.needed for finding in findings.values()), folder)
    except UserError as error:
        problems.append(str(error))
    return problems


def _reach() -> None:
    try:
        reach("models")
    except Unreachable as error:
        raise UserError(
            f"models: {endpoint()} cannot be reached ({error}); check the network, name a mirror "
            "in HF_ENDPOINT, or copy the model folders from a machine that has them"
        ) from error


def _recall(name: str, settings: PretrainedModel, folder: Path) -> Finding | None:
    """What the folder of a model says, if the model is there."""
    try:
        if not is_here(settings, folder, by_checksum=False):
            return None
        origin = read_model_provenance(folder).get("origin", {})
    except UserError as error:
        return Finding({}, problem=f"models.{name}: {error}")
    return Finding(origin, (folder / WEIGHTS_FILE).stat().st_size, here=True)


def _look_up(key: str, settings: PretrainedModel, folder: Path) -> Finding:
    try:
        if settings.path is not None:
            local = find_locally(key, settings)
            size = sum(file.stat().st_size for file in local.files)
            return Finding(local.origin, size, needed=size)
        parts = find_online(key, settings)
        check_access(key, parts.weights)
        for file in list(parts.tokenizer.values())[:1]:  # may be in another repository
            check_access(key, file)
    except UserError as error:
        return Finding({}, problem=str(error))
    size = sum(file.size or 0 for file in parts.files)
    missing = missing_bytes(parts.files, partial_folder(folder))
    return Finding(parts.origin, size, missing, needed=missing + parts.conversion_bytes)
